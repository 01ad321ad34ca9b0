"""Retention of events: the processed ones go after their time, in small resumable batches."""

from __future__ import annotations

from sqlalchemy import ColumnElement, delete, func, select

from app.db import reading, transaction
from app.events.models import DONE, Event

AT_ONCE = 500


def count_old_events(before: int) -> int:
    """How many processed events ended before `before` (ms)."""
    with reading() as c:
        return c.execute(select(func.count()).select_from(Event).where(*_old(before))).scalar_one()


def cleanup_events(before: int) -> int:
    """Delete processed events (with deliveries and attempts) that ended before; how many."""
    gone = 0
    while True:
        with transaction(durable=False) as tx:
            chosen = select(Event.id).where(*_old(before)).limit(AT_ONCE)
            ids = list(tx.connection.scalars(chosen))
            if ids:
                tx.connection.execute(delete(Event).where(Event.id.in_(ids)))
        gone += len(ids)
        if len(ids) < AT_ONCE:
            return gone


def _old(before: int) -> tuple[ColumnElement[bool], ...]:
    return (Event.status == DONE, Event.created_at < before, Event.finished_at < before)
