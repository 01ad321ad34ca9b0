"""Reads of templates, opt-outs and quiet hours."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from app.errors import NotFound
from app.messages.models import MessageTemplate, OptOut, QuietHours
from app.messages.rules.templates import Words
from app.paging import AnyRow


def newest(c: Connection, key: str, channel: str) -> AnyRow:
    """The version in use; NotFound."""
    query = (
        select(MessageTemplate.__table__)
        .where(MessageTemplate.key == key, MessageTemplate.channel == channel)
        .order_by(MessageTemplate.version.desc())
        .limit(1)
    )
    row = c.execute(query).one_or_none()
    if row is None:
        raise NotFound(f"O modelo {key} ({channel}) não existe")
    return row


def words_of(row: AnyRow) -> Words:
    """The parts of a stored template."""
    return Words(row.subject, row.text, row.html)


def in_use(c: Connection) -> Sequence[AnyRow]:
    """The newest version of every template."""
    last = (
        select(
            MessageTemplate.key, MessageTemplate.channel,
            func.max(MessageTemplate.version).label("version"),
        )
        .group_by(MessageTemplate.key, MessageTemplate.channel)
        .subquery()
    )  # fmt: skip
    table = MessageTemplate.__table__
    query = select(table).join(
        last,
        (table.c.key == last.c.key)
        & (table.c.channel == last.c.channel)
        & (table.c.version == last.c.version),
    )
    return c.execute(query.order_by(table.c.key, table.c.channel)).all()


def opted_out(c: Connection, phone: str) -> bool:
    """Whether the person wants no automatic messages."""
    query = select(OptOut.phone).where(OptOut.phone == phone)
    return c.execute(query).first() is not None


def quiet_hours(c: Connection) -> tuple[str, str] | None:
    """Start and end, None where none are kept."""
    row = c.execute(select(QuietHours.starts, QuietHours.ends)).first()
    return (row.starts, row.ends) if row else None
