"""Maintenance windows: silence one system's alerts for a time."""

from __future__ import annotations

from sqlalchemy import insert, select, update

from app import clock
from app.access.actions import audit
from app.access.actor import Actor
from app.db import transaction
from app.errors import Conflict, Invalid, NotFound
from app.monitoring.models import Maintenance
from app.systems.rules.defaults import KNOWN

LONGEST = 7 * clock.DAY
FURTHEST = 90 * clock.DAY


def plan_maintenance(
    system: str, starts_at: int, ends_at: int, *, by: Actor, why: str, now: int
) -> int:
    """Let a system raise nothing from one time to another (ms); the window's id."""
    problems = {
        "system": [] if system in KNOWN else ["is not a known system"],
        "starts_at": [] if starts_at <= now + FURTHEST else ["is too far away"],
        "ends_at": []
        if max(now, starts_at) < ends_at <= starts_at + LONGEST
        else ["must come after the start and after now, at most 7 days later"],
        "why": [] if why.strip() else ["must not be empty"],
    }
    if wrong := {name: texts for name, texts in problems.items() if texts}:
        raise Invalid(details=wrong)
    values = {
        "system": system, "starts_at": starts_at, "ends_at": ends_at, "reason": why.strip()[:500],
        "created_by": by.name[:120], "created_at": now,
    }  # fmt: skip
    with transaction() as tx:
        made = tx.connection.execute(insert(Maintenance).values(**values)).inserted_primary_key
        times = {"from": clock.iso(starts_at), "to": clock.iso(ends_at)}
        audit.record(tx, by, "maintenance.planned", system, why, None, times)
    return int(made[0]) if made else 0


def end_maintenance(window_id: int, *, by: Actor, now: int) -> str:
    """End a window now (one to come never begins); its system."""
    with transaction() as tx:
        query = select(Maintenance.__table__).where(Maintenance.id == window_id)
        row = tx.connection.execute(query).one_or_none()
        if row is None:
            raise NotFound("Maintenance window not found")
        if row.ends_at <= now:
            raise Conflict("Esta manutenção já terminou")
        change = update(Maintenance).where(Maintenance.id == window_id)
        tx.connection.execute(change.values(ends_at=now, ended_by=by.name[:120]))
        before = {"to": clock.iso(row.ends_at)}
        audit.record(tx, by, "maintenance.ended", row.system, None, before, {"to": clock.iso(now)})
        system: str = row.system
    return system
