"""Schedules: run a slot, pause and resume."""

from __future__ import annotations

import logging

from flask import current_app
from sqlalchemy import select, update

from app.access.actions import audit
from app.access.actor import Actor
from app.db import insert_missing, reading, transaction
from app.errors import NotFound
from app.syncs.actions.start import start_slot
from app.syncs.models import SyncSchedule
from app.syncs.rules.table import SYNCS

log = logging.getLogger(__name__)


def ensure(now: int) -> None:
    """Put every sync on its schedule, once."""
    rows = [
        {
            "name": name,
            "since": now,
            "paused": False,
            "changed_at": now,
            "changed_by": "",
            "why": "",
        }
        for name in SYNCS
    ]
    with transaction() as tx:
        insert_missing(tx.connection, SyncSchedule, rows)


def run_slot(name: str, now: int) -> int | None:
    """Ask for the run of a slot whose time has come; its id, None where it is not to be."""
    sync = SYNCS[name]
    with reading() as c:
        query = select(SyncSchedule.paused).where(SyncSchedule.name == name)
        if c.execute(query).scalar():
            return None
    slot = sync.schedule.latest(now, current_app.extensions["settings"].zone)
    run_id = start_slot(sync, slot, now)
    if run_id is None:
        log.warning("%s is still under way, its slot is left out", sync.job)
    return run_id


def pause(name: str, *, by: Actor, why: str, now: int) -> None:
    """Take a sync off its schedule; by hand it still runs. NotFound."""
    _set(name, True, by, why, now)


def resume(name: str, *, by: Actor, why: str, now: int) -> None:
    """Put it on again from the next slot. NotFound."""
    _set(name, False, by, why, now)


def _set(name: str, paused: bool, by: Actor, why: str, now: int) -> None:
    """Write the switch; nothing happens where it stands so already."""
    if name not in SYNCS:
        raise NotFound("Sync not found")
    ensure(now)
    with transaction() as tx:
        other = (SyncSchedule.name == name, SyncSchedule.paused.is_not(paused))
        # Slots of the time in which it was paused were not missed.
        values = {"paused": paused, "since": now, "changed_at": now, "why": why[:500]}
        values |= {"changed_by": by.name[:120]}
        if tx.connection.execute(update(SyncSchedule).where(*other).values(**values)).rowcount:
            action = "sync.paused" if paused else "sync.resumed"
            audit.record(tx, by, action, SYNCS[name].job, why)
