"""Work on many dead letters: how far it is, what of it is next."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, select
from sqlalchemy.engine import Connection

from app.deliveries.models import OPEN, Bulk, DeadLetter
from app.deliveries.queries.dead_letters import Narrow
from app.errors import NotFound
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
    """The oldest that has work left."""
    query = select(Bulk.__table__).where(Bulk.state.in_(ACTIVE)).order_by(Bulk.id).limit(1)
    return c.execute(query).one_or_none()


def members(
    wanted: Narrow, bound_id: int, bound_at: int, now: int
) -> tuple[ColumnElement[bool], ...]:
    """The letters that a bulk means: open when it was asked for and untouched since.

    One that was archived and brought back, or died again, has changed after the bound.
    """
    return (
        DeadLetter.state == OPEN,
        DeadLetter.id <= bound_id,
        DeadLetter.died_at <= bound_at,
        DeadLetter.changed_at <= bound_at,
        *wanted.where(now),
    )


def next_letters(c: Connection, bulk: AnyRow, limit: int) -> list[int]:
    """Ids of the letters the bulk has not come to yet, in order."""
    query = select(DeadLetter.id).where(*_meant(bulk), DeadLetter.id > bulk.done_up_to)
    return list(c.scalars(query.order_by(DeadLetter.id).limit(limit)))


def still_meant(c: Connection, bulk: AnyRow, ids: Sequence[int]) -> list[int]:
    """Those of the ids that have not changed since the bulk was asked for."""
    query = select(DeadLetter.id).where(DeadLetter.id.in_(list(ids)), *_meant(bulk))
    return list(c.scalars(query.order_by(DeadLetter.id)))


def _meant(bulk: AnyRow) -> tuple[ColumnElement[bool], ...]:
    """The frozen set of a bulk."""
    wanted = Narrow.model_validate_json(bulk.filter)
    return members(wanted, bulk.bound_id, bulk.bound_at, bulk.bound_at)
