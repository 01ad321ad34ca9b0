"""How the four syncs stand: last and next run, usual duration, whether one is late."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from app import clock
from app.paging import AnyRow
from app.syncs.models import ACTIVE, DONE, FAILED, SyncRun, SyncSchedule
from app.syncs.rules.table import SYNCS, Sync
from app.syncs.rules.timing import missed, usual

LAST_RUNS = 20
DAY = clock.DAY


@dataclass(frozen=True, slots=True)
class Card:
    """A sync as a person looks at it; times in ms.

    `missed_at`: the slot that should have run and did not. `recent_failures`: runs that failed
    in the last 24 h.
    """

    sync: Sync
    paused: bool
    paused_by: str
    paused_why: str
    last: AnyRow | None
    active: AnyRow | None
    next_at: int | None
    usual_ms: int | None
    recent_failures: int
    missed_at: int | None

    @property
    def duration_ms(self) -> int | None:
        """How long the last run took."""
        return None if self.last is None else duration(self.last)


def duration(run: AnyRow) -> int | None:
    """How long a run took, None while it is not over."""
    if run.started_at is None or run.finished_at is None:
        return None
    return max(int(run.finished_at - run.started_at), 0)


def board(c: Connection, zone: ZoneInfo, now: int) -> list[Card]:
    """All syncs in the order of `full`."""
    switches = {row.name: row for row in c.execute(select(SyncSchedule.__table__))}
    failures = _failures(c, now)
    return [
        _card(c, sync, switches.get(sync.name), failures.get(sync.job_type, 0), zone, now)
        for sync in SYNCS.values()
    ]


def paused_jobs(c: Connection) -> frozenset[str]:
    """Jobs that a person took off the clock: sync-crm-operacao …"""
    names = c.scalars(select(SyncSchedule.name).where(SyncSchedule.paused.is_(True)))
    return frozenset(SYNCS[name].job for name in names if name in SYNCS)


def _card(
    c: Connection, sync: Sync, switch: AnyRow | None, failures: int, zone: ZoneInfo, now: int
) -> Card:
    runs = _last_runs(c, sync)
    ended = [run for run in runs if run.status not in ACTIVE]
    good = [took for run in ended if run.status == DONE and (took := duration(run)) is not None]
    paused = bool(switch and switch.paused)
    late = None
    if switch and not paused:
        began = next((run.started_at for run in runs if run.started_at is not None), None)
        late = missed(sync.schedule, zone, began, switch.since, now)
    return Card(
        sync=sync,
        paused=paused,
        paused_by=switch.changed_by if switch else "",
        paused_why=switch.why if switch else "",
        last=ended[0] if ended else None,
        active=next((run for run in runs if run.status in ACTIVE), None),
        next_at=None if paused else sync.schedule.next(now, zone),
        usual_ms=usual(good),
        recent_failures=failures,
        missed_at=late,
    )


def _last_runs(c: Connection, sync: Sync) -> Sequence[AnyRow]:
    query = select(SyncRun.__table__).where(SyncRun.job_type == sync.job_type)
    return c.execute(query.order_by(SyncRun.id.desc()).limit(LAST_RUNS)).all()


def _failures(c: Connection, now: int) -> dict[str, int]:
    """Failed runs of the last 24 h by type."""
    query = (
        select(SyncRun.job_type, func.count())
        .where(SyncRun.status == FAILED, SyncRun.finished_at > now - DAY)
        .group_by(SyncRun.job_type)
    )
    return {job_type: int(n) for job_type, n in c.execute(query)}


def stats(c: Connection, zone: ZoneInfo, now: int) -> dict[str, Any]:
    """How each sync stands, as JSON."""
    return {card.sync.job_type: card_json(card) for card in board(c, zone, now)}


def card_json(card: Card) -> dict[str, Any]:
    """A sync as JSON; seconds and ISO times."""
    last = card.last
    return {
        "label": card.sync.label,
        "paused": card.paused,
        "running": card.active is not None,
        "last_run": clock.iso(last.finished_at) if last else None,
        "last_status": last.status if last else None,
        "last_error": last.error if last else "",
        "duration_seconds": seconds(card.duration_ms),
        "usual_seconds": seconds(card.usual_ms),
        "recent_failures": card.recent_failures,
        "next_run": clock.iso(card.next_at),
        "missed": clock.iso(card.missed_at),
    }


def seconds(ms: int | None) -> float | None:
    """Seconds with one digit for people and programs."""
    return None if ms is None else round(ms / 1000, 1)
