"""Retention of dead letters: archived ones go after their time, in small resumable batches."""

from __future__ import annotations

from sqlalchemy import ColumnElement, delete, func, select

from app.db import reading, transaction
from app.deliveries.models import ARCHIVED, DeadLetter

AT_ONCE = 500


def count_old_dead_letters(before: int) -> int:
    """How many were archived before `before` (ms)."""
    with reading() as c:
        query = select(func.count()).select_from(DeadLetter).where(*_old(before))
        return c.execute(query).scalar_one()


def cleanup_dead_letters(before: int) -> int:
    """Delete archived dead letters put aside before; how many."""
    gone = 0
    while True:
        with transaction(durable=False) as tx:
            chosen = select(DeadLetter.id).where(*_old(before)).limit(AT_ONCE)
            ids = list(tx.connection.scalars(chosen))
            if ids:
                tx.connection.execute(delete(DeadLetter).where(DeadLetter.id.in_(ids)))
        gone += len(ids)
        if len(ids) < AT_ONCE:
            return gone


def _old(before: int) -> tuple[ColumnElement[bool], ...]:
    return (DeadLetter.state == ARCHIVED, DeadLetter.changed_at < before)
