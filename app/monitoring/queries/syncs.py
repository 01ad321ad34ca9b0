"""The four scheduled pulls, as the overview and the report name them."""

from __future__ import annotations

from typing import Any

from flask import current_app
from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from app import clock
from app.syncs.models import DONE, FAILED, RUNNING, SyncRun, SyncSchedule
from app.syncs.queries.board import board, card_json
from app.syncs.rules.table import SYNCS
from app.syncs.rules.timing import missed

STATE = ("last_run", "last_status", "recent_failures", "duration_seconds", "next_run", "paused")


def sync_states(c: Connection, now: int) -> dict[str, dict[str, Any]]:
    """Per job type its last run; null where it never ran."""
    cards = board(c, current_app.extensions["settings"].zone, now)
    found = {card.sync.job_type: card_json(card) for card in cards}
    return {job_type: {name: data[name] for name in STATE} for job_type, data in found.items()}


def sync_totals(c: Connection, since: int, until: int) -> dict[str, dict[str, int]]:
    """Per job type the runs that ended in a time and how many went well."""
    query = (
        select(SyncRun.job_type, SyncRun.status, func.count())
        .where(SyncRun.finished_at >= since, SyncRun.finished_at < until)
        .group_by(SyncRun.job_type, SyncRun.status)
    )
    found = {sync.job_type: {"total": 0, "success": 0} for sync in SYNCS.values()}
    for job_type, status, n in c.execute(query):
        if job_type in found:
            found[job_type]["total"] += n
            found[job_type]["success"] += n if status == DONE else 0
    return found


def failed_syncs(c: Connection, now: int) -> int:
    """Runs of the last 24 h that failed."""
    query = select(func.count()).select_from(SyncRun)
    lately = query.where(SyncRun.status == FAILED, SyncRun.finished_at > now - clock.DAY)
    return c.execute(lately).scalar_one()


def long_syncs(c: Connection) -> dict[str, int]:
    """Since when (ms) each sync that is under way runs, by its label."""
    query = select(SyncRun.job_type, SyncRun.started_at).where(SyncRun.status == RUNNING)
    labels = {sync.job_type: sync.label for sync in SYNCS.values()}
    return {labels[kind]: began for kind, began in c.execute(query) if began and kind in labels}


def missed_syncs(c: Connection, now: int) -> dict[str, int]:
    """Syncs that should have run by now and did not: label → time of the slot (ms)."""
    began = select(SyncRun.job_type, func.max(SyncRun.started_at)).group_by(SyncRun.job_type)
    last: dict[str, int | None] = {row[0]: row[1] for row in c.execute(began)}
    query = select(SyncSchedule.name, SyncSchedule.since).where(SyncSchedule.paused.is_(False))
    zone = current_app.extensions["settings"].zone
    found: dict[str, int] = {}
    for name, since in c.execute(query):
        sync = SYNCS.get(name)
        slot = sync and missed(sync.schedule, zone, last.get(sync.job_type), since, now)
        if sync and slot:
            found[sync.label] = slot
    return found
