"""The list of messages: sent and received, by phone, state and template; pages by key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from pydantic import BaseModel, Field
from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.engine import Connection

from app import clock
from app.access.rules.masking import mask_text
from app.deliveries.models import FAILED, PENDING, SENT, Delivery
from app.errors import NotFound
from app.events.models import Event
from app.messages.models import IN, OUT, Message, WhatsAppMessage
from app.messages.rules.log import address_of, progress
from app.paging import AnyRow, AnySelect

COUNT_UP_TO = 10_000
NEWER_UP_TO = 1_000
State = Literal["", "entrada", "a caminho", "enviada", "recebida", "lida", "falhou", "erro"]
Text = Annotated[str, Field(max_length=120, pattern=r"^[^\x00-\x1f]*$")]
TICKS = (
    WhatsAppMessage.sent_at, WhatsAppMessage.received_at, WhatsAppMessage.read_at,
    WhatsAppMessage.failed_at,
)  # fmt: skip


class LogFilter(BaseModel):
    """The query string of the list; what is empty does not filter."""

    q: Text = ""
    state: State = ""
    template: Text = ""
    after: int = Field(0, ge=0, le=2**62)
    # What was written after this message waits to be asked for.
    upto: int = Field(0, ge=0, le=2**62)
    per_page: int = Field(50, ge=1, le=100)

    @property
    def active(self) -> bool:
        """Whether the list is narrowed."""
        return bool(self.q or self.state or self.template)

    def query_with(self, **changes: Any) -> str:
        """The query string with some of it changed (None removes)."""
        told = self.model_dump(exclude_defaults=True, exclude={"upto"}) | changes
        return urlencode({name: value for name, value in told.items() if value})

    def conditions(self) -> list[ColumnElement[bool]]:
        """What messages must fulfil."""
        found: list[ColumnElement[bool]] = []
        if self.q:
            found.append(Message.address == address_of(self.q))
        if self.template:
            found.append(Message.template == self.template)
        if self.state:
            found.append(_in_state(self.state))
        if self.upto:
            found.append(Message.id <= self.upto)
        return found


def _in_state(state: State) -> ColumnElement[bool]:
    """The furthest that was told decides, in the order of `state_of`."""
    if state == "entrada":
        return Message.direction == IN
    alive = {"a caminho": PENDING, "erro": FAILED}
    if state in alive:
        return Delivery.status == alive[state]
    told = WhatsAppMessage
    furthest: dict[str, ColumnElement[bool]] = {
        "lida": told.read_at.is_not(None),
        "recebida": and_(told.read_at.is_(None), told.received_at.is_not(None)),
        "falhou": and_(
            told.read_at.is_(None), told.received_at.is_(None), told.failed_at.is_not(None)
        ),
        "enviada": and_(
            told.read_at.is_(None), told.received_at.is_(None), told.failed_at.is_(None)
        ),
    }
    return and_(Message.direction == OUT, Delivery.status == SENT, furthest[state])


def _messages() -> AnySelect:
    """Messages with what is known of their deliveries and ticks."""
    return (
        select(
            Message.__table__, Delivery.status, Delivery.last_error, Delivery.finished_at,
            WhatsAppMessage.message_id, WhatsAppMessage.error, *TICKS,
        )
        .outerjoin(Delivery, Delivery.id == Message.delivery_id)
        .outerjoin(WhatsAppMessage, WhatsAppMessage.delivery_id == Message.delivery_id)
    )  # fmt: skip


def messages(c: Connection, wanted: LogFilter) -> Sequence[AnyRow]:
    """A page of messages, newest first."""
    query = _messages().where(*wanted.conditions()).order_by(Message.id.desc())
    if wanted.after:
        query = query.where(Message.id < wanted.after)
    return c.execute(query.limit(wanted.per_page)).all()


def count(c: Connection, wanted: LogFilter) -> int:
    """How many messages the filter means, counted up to 10,001."""
    return _count(c, wanted.conditions(), COUNT_UP_TO + 1)


def newer(c: Connection, wanted: LogFilter) -> int:
    """How many were written since the page was opened, counted up to NEWER_UP_TO."""
    if not wanted.upto:
        return 0
    where = wanted.model_copy(update={"upto": 0}).conditions()
    return _count(c, [*where, Message.id > wanted.upto], NEWER_UP_TO)


def _count(c: Connection, where: Sequence[ColumnElement[bool]], most: int) -> int:
    query = (
        select(Message.id)
        .outerjoin(Delivery, Delivery.id == Message.delivery_id)
        .outerjoin(WhatsAppMessage, WhatsAppMessage.delivery_id == Message.delivery_id)
        .where(*where)
        .limit(most)
    )
    return c.execute(select(func.count()).select_from(query.subquery())).scalar_one()


def message(c: Connection, message_id: int) -> AnyRow:
    """One message; NotFound."""
    row = c.execute(_messages().where(Message.id == message_id)).one_or_none()
    if row is None:
        raise NotFound("Message not found")
    return row


def content(c: Connection, row: AnyRow) -> bytes:
    """What the message says, as stored: the delivery's body, or the payload of its event."""
    if row.direction == IN:
        query = select(Event.payload).where(Event.id == row.event_id)
    else:
        query = select(Delivery.body).where(Delivery.id == row.delivery_id)
    return bytes(c.scalar(query) or b"")


def message_json(row: AnyRow) -> dict[str, Any]:
    """A message as JSON, its address masked and without its words."""
    moments = ("created_at", "sent_at", "received_at", "read_at", "failed_at")
    return {
        "id": row.id,
        "direction": row.direction,
        "channel": row.channel,
        "address": mask_text(row.address),
        "state": progress(row),
        "template": row.template,
        "version": row.version,
        "event_id": row.event_id,
        "delivery_id": row.delivery_id,
        **{name: clock.iso(getattr(row, name)) for name in moments},
    }
