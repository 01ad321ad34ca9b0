"""Looks at whole personal data are audited: who looked at what, once in a while for each."""

from __future__ import annotations

from sqlalchemy import select

from app import clock
from app.access.actions import audit
from app.access.actor import Actor
from app.access.models import AuditEntry
from app.db import reading, transaction

SEEN = "personal_data.seen"
# A page that is looked at again within this time is the same look.
SAME_LOOK_MS = 15 * clock.MINUTE


def note_look(by: Actor, target: str) -> None:
    """Write the look down, unless the same person has just had it."""
    same = (
        AuditEntry.target == target,
        AuditEntry.action == SEEN,
        AuditEntry.actor_kind == by.kind,
        AuditEntry.actor_id == by.id,
        AuditEntry.at > clock.now() - SAME_LOOK_MS,
    )
    with reading() as c:
        if c.execute(select(AuditEntry.id).where(*same).limit(1)).first():
            return
    with transaction(durable=False) as tx:
        audit.record(tx, by, SEEN, target)
