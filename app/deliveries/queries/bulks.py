"""Work on many dead letters: how far it is, what of it is next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.engine import Connection

from app.deliveries.models import (
    OPEN,
    PENDING,
    RETRYING,
    Bulk,
    BulkLetter,
    DeadLetter,
    Delivery,
    is_now,
)
from app.deliveries.queries.dead_letters import Narrow
from app.errors import NotFound
from app.id_lists import among
from app.paging import AnyRow

ACTIVE = ("queued", "running")


def find_bulk(c: Connection, bulk_id: int) -> AnyRow:
    """One bulk with its progress; NotFound."""
    row = c.execute(select(Bulk.__table__).where(Bulk.id == bulk_id)).one_or_none()
    if row is None:
        raise NotFound("Bulk not found")
    return row


def recent_bulks(c: Connection, limit: int = 20) -> Sequence[AnyRow]:
    """The newest ones, newest first."""
    return c.execute(select(Bulk.__table__).order_by(Bulk.id.desc()).limit(limit)).all()


def next_bulk(c: Connection) -> AnyRow | None:
    """The oldest that has work left and need not wait for outcomes."""
    query = select(Bulk.__table__).where(Bulk.state.in_(ACTIVE), Bulk.careful.is_(False))
    return c.execute(query.order_by(Bulk.id).limit(1)).one_or_none()


def careful_bulks(c: Connection) -> Sequence[AnyRow]:
    """Those that wait for the outcome of what they let out, the oldest first."""
    query = select(Bulk.__table__).where(Bulk.state.in_(ACTIVE), Bulk.careful.is_(True))
    return c.execute(query.order_by(Bulk.id)).all()


class Released(NamedTuple):
    """What became of the letters that a careful bulk let out."""

    total: int
    sent: int
    failed: int

    @property
    def waiting(self) -> int:
        """Neither accepted nor refused yet."""
        return self.total - self.sent - self.failed


def released(c: Connection, bulk_id: int) -> Released:
    """Refused is also what failed an attempt and is tried again by itself."""
    again = and_(Delivery.status == PENDING, Delivery.attempts > BulkLetter.attempts)
    failed = or_(DeadLetter.state == OPEN, again)
    settled = DeadLetter.state.not_in((OPEN, RETRYING))
    query = (
        select(
            func.count(),
            func.coalesce(func.sum(case((settled, 1), else_=0)), 0),
            func.coalesce(func.sum(case((failed, 1), else_=0)), 0),
        )
        .select_from(BulkLetter)
        .join(DeadLetter, DeadLetter.id == BulkLetter.letter_id)
        .join(Delivery, Delivery.id == DeadLetter.delivery_id)
        .where(BulkLetter.bulk_id == bulk_id)
    )
    return Released(*(int(n) for n in c.execute(query).one()))


def members(
    wanted: Narrow, bound_id: int, bound_at: int, now: int
) -> tuple[ColumnElement[bool], ...]:
    """The letters that a bulk means: open when it was asked for and untouched since.

    One that was archived and brought back, or died again, has changed after the bound.
    """
    untouched = (DeadLetter.id <= bound_id, DeadLetter.changed_at <= bound_at)
    return (DeadLetter.state == OPEN, DeadLetter.died_at <= bound_at, *untouched,
            *wanted.where(now))  # fmt: skip


def count_members(c: Connection, wanted: Narrow, at: int) -> int:
    """How many letters a bulk would mean that was asked for at `at` (ms)."""
    query = select(func.count()).select_from(DeadLetter)
    return int(c.execute(query.where(*members(wanted, 1 << 62, at, at))).scalar_one())


def next_letters(c: Connection, bulk: AnyRow, limit: int) -> Sequence[AnyRow]:
    """(id, died_at) of the letters the bulk has not come to yet, in the order of an index."""
    same = and_(DeadLetter.died_at == bulk.done_at, DeadLetter.id > bulk.done_up_to)
    ahead = (DeadLetter.died_at >= bulk.done_at, or_(DeadLetter.died_at > bulk.done_at, same))
    wanted = Narrow.thawed(bulk.filter)
    meant = members(wanted, bulk.bound_id, bulk.bound_at, bulk.bound_at)
    query = select(DeadLetter.id, DeadLetter.died_at).where(*meant, *ahead)
    return c.execute(query.order_by(DeadLetter.died_at, DeadLetter.id).limit(limit)).all()


def still_meant(c: Connection, bulk: AnyRow, ids: Sequence[int]) -> list[int]:
    """Those of the ids that have not changed since they were looked at."""
    untouched = (is_now(OPEN), DeadLetter.changed_at <= bulk.bound_at)
    query = select(DeadLetter.id).where(among(DeadLetter.id, ids), *untouched)
    return list(c.scalars(query.order_by(DeadLetter.id)))
