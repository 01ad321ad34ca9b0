"""A new release is a change like any other: the audit trail says since when it runs."""

from __future__ import annotations

from sqlalchemy import select

from app.access.actions import audit
from app.access.actor import SYSTEM
from app.access.models import AuditEntry
from app.db import transaction

ACTION, TARGET = "release.started", "hub"


def note_release(name: str) -> bool:
    """Write down that the release runs, unless it ran already; whether it is news."""
    last = select(AuditEntry.why).where(AuditEntry.target == TARGET, AuditEntry.action == ACTION)
    with transaction() as tx:
        if tx.connection.scalar(last.order_by(AuditEntry.id.desc()).limit(1)) == name:
            return False
        audit.record(tx, SYSTEM, ACTION, TARGET, name)
    return True
