"""Retention: archived dead letters go after their time, then the events that only they kept."""

from __future__ import annotations

from sqlalchemy import ColumnElement, delete, exists, func, select

from app.db import reading, transaction
from app.deliveries.models import ARCHIVED, DeadLetter
from app.events.models import FAILED, Event

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


def cleanup_given_up(before: int) -> int:
    """Delete failed events that ended before and of which no dead letter is left; how many.

    Their letters were archived and have gone after their own time: nobody can retry them.
    """
    letters = exists().where(DeadLetter.event_id == Event.id)
    over = (Event.status == FAILED, Event.created_at < before, Event.finished_at < before)
    gone = last = 0
    while True:
        with transaction(durable=False) as tx:
            chosen = select(Event.id).where(*over, Event.id > last, ~letters)
            ids = list(tx.connection.scalars(chosen.order_by(Event.id).limit(AT_ONCE)))
            if ids:
                tx.connection.execute(delete(Event).where(Event.id.in_(ids)))
        gone += len(ids)
        if len(ids) < AT_ONCE:
            return gone
        last = ids[-1]


def _old(before: int) -> tuple[ColumnElement[bool], ...]:
    return (DeadLetter.state == ARCHIVED, DeadLetter.changed_at < before)
