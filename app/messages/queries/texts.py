"""Reads of templates, opt-outs and quiet hours."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field
from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from app.errors import NotFound
from app.messages.models import MessageTemplate, OptOut, QuietHours
from app.messages.rules.log import address_of
from app.messages.rules.templates import Words
from app.paging import AnyRow, Page, Paging, paginate

MOST_VERSIONS = 50


class OptOutFilter(Paging):
    """The query string of the list of those who want no messages."""

    q: str = Field("", max_length=40)
    per_page: int = Field(50, ge=1, le=100)


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


def versions(c: Connection, key: str, channel: str) -> Sequence[AnyRow]:
    """All versions of a template, the newest first."""
    mine = (MessageTemplate.key == key, MessageTemplate.channel == channel)
    query = select(MessageTemplate.__table__).where(*mine)
    return c.execute(query.order_by(MessageTemplate.version.desc()).limit(MOST_VERSIONS)).all()


def opt_outs(c: Connection, wanted: OptOutFilter) -> Page:
    """Who wants no automatic messages, the last ones first."""
    query = select(OptOut.__table__).order_by(OptOut.at.desc(), OptOut.phone)
    if wanted.q:
        query = query.where(OptOut.phone == address_of(wanted.q))
    return paginate(c, query, wanted)


def opted_out_at(c: Connection, at: int, ending: str) -> str:
    """The phone that said no at a moment (ms) and ends so; NotFound."""
    query = select(OptOut.phone).where(OptOut.at == at)
    for phone in c.scalars(query):
        if str(phone).endswith(ending):
            return str(phone)
    raise NotFound("Este telefone não pediu para sair")
