"""What the checks look at, read once for all of them."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from sqlalchemy import case, func, select
from sqlalchemy.engine import Connection

from app.db import reading
from app.monitoring.queries.figures import Events
from app.monitoring.queries.snapshot import take_snapshot
from app.monitoring.rules import days
from app.runbook.rules import shifts
from app.runbook.rules.checks import NightRun, Readings
from app.syncs.models import ACTIVE, FAILED, SyncRun, SyncSchedule
from app.syncs.rules.table import SYNCS


def take_readings(now: int, zone: ZoneInfo) -> Readings:
    """The present readings."""
    seen = take_snapshot(now)
    with reading() as c:
        today = Events(c, days.today(now, zone)).totals
        return Readings(seen, today["processed"], today["failed"], night_runs(c, now, zone))


def night_runs(c: Connection, now: int, zone: ZoneInfo) -> tuple[NightRun, ...]:
    """Runs of each sync that ended since the evening before (18:00); one that somebody paused is
    not expected to have run."""
    since = shifts.evening_before(now, zone)
    failed = func.sum(case((SyncRun.status == FAILED, 1), else_=0))
    query = (
        select(SyncRun.job_type, func.count(), failed)
        .where(SyncRun.finished_at >= since, SyncRun.status.not_in(ACTIVE))
        .group_by(SyncRun.job_type)
    )
    found = {job_type: (int(ended), int(bad)) for job_type, ended, bad in c.execute(query)}
    paused = set(c.execute(select(SyncSchedule.name).where(SyncSchedule.paused)).scalars())
    return tuple(
        NightRun(sync.label, *found.get(sync.job_type, (0, 0)))
        for name, sync in SYNCS.items()
        if sync.job_type in found or name not in paused
    )
