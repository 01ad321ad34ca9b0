"""Looks at whole personal data are audited: who looked at what, once in a while for each."""

from __future__ import annotations

from sqlalchemy import select

from app import clock
from app.access.actions import audit
from app.access.actor import Actor
from app.access.models import AuditEntry
from app.db import reading, transaction

SEEN = "personal_data.seen"
# What is looked at again within this time is the same look.
SAME_LOOK_MS = 15 * clock.MINUTE
# A page left open asks for its live part for hours; that is still the look it was opened for.
SAME_PAGE_MS = 12 * clock.HOUR


def note_look(by: Actor, target: str, same_ms: int = SAME_LOOK_MS) -> None:
    """Write the look down, unless the same person or key had it within `same_ms`."""
    same = (
        AuditEntry.target == target,
        AuditEntry.action == SEEN,
        AuditEntry.actor_kind == by.kind,
        AuditEntry.actor_id == by.id,
        AuditEntry.at > clock.now() - same_ms,
    )
    with reading() as c:
        if c.execute(select(AuditEntry.id).where(*same).limit(1)).first():
            return
    with transaction(durable=False) as tx:
        audit.record(tx, by, SEEN, target)
