"""What is held of a person: the tables that keep what was sent, read in batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import Connection

from app.automations.models import AutomationStep
from app.db import Base, reading
from app.deliveries.models import PENDING, Attempt, DeadLetter, Delivery
from app.events.models import Event
from app.messages.models import Message, OptOut, WhatsAppMessage
from app.paging import AnyRow
from app.runbook.rules.privacy import Person, about
from app.syncs.models import PENDING as UNWRITTEN
from app.syncs.models import WRITTEN, SyncItem

AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Holding:
    """A table and its columns that may hold personal data.

    `content` is sent and shown, `names` only name a row (they have no use once it is over).
    `busy(row)`: it is still on its way and is left alone. `shown`: columns of an export.
    """

    name: str
    model: type[Base]
    content: tuple[str, ...]
    names: tuple[str, ...] = ()
    state: str = ""
    busy_states: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """All that is read."""
        return tuple(dict.fromkeys(("id", *self.content, *self.names, *self.shown, *self._state)))

    @property
    def _state(self) -> tuple[str, ...]:
        return (self.state,) if self.state else ()

    def busy(self, row: AnyRow) -> bool:
        """Whether the row is still on its way."""
        return bool(self.state) and getattr(row, self.state) in self.busy_states


HOLDINGS = (
    Holding("events", Event, ("payload", "raw"), ("idempotency_key",), "status",
            ("pending", "processing"), ("event_type", "source_system", "created_at")),
    Holding("deliveries", Delivery, ("body", "output"), ("lane", "dedupe"), "status", (PENDING,),
            ("event_id", "system", "kind", "created_at")),
    Holding("attempts", Attempt, ("response_body", "error"), (), "", (),
            ("delivery_id", "started_at")),
    Holding("dead_letters", DeadLetter, ("reason", "note"), (), "", (), ("event_id", "died_at")),
    Holding("automation_steps", AutomationStep, ("note",), ("lane",), "state",
            ("waiting", "held", "going"), ("event_id", "step")),
    Holding("whatsapp_messages", WhatsAppMessage, ("phone", "error"), (), "", (), ("created_at",)),
    Holding("messages", Message, ("address",), (), "", (),
            ("direction", "channel", "template", "created_at")),
    Holding("sync_items", SyncItem, ("payload", "error"), (), "state", (UNWRITTEN, WRITTEN),
            ("job_type", "created_at")),
)  # fmt: skip


def text_of(value: Any) -> str:
    """A stored value as text."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")


def batches(holding: Holding, who: Person) -> Iterator[list[AnyRow]]:
    """Rows of a table that name the person, a batch of the table at a time."""
    columns = [getattr(holding.model, name) for name in holding.columns]
    key, last = columns[0], 0
    while True:
        with reading() as c:
            query = select(*columns).where(key > last).order_by(key).limit(AT_ONCE)
            rows: Sequence[AnyRow] = c.execute(query).all()
        if not rows:
            return
        last = rows[-1].id
        if found := [row for row in rows if names_person(holding, row, who)]:
            yield found


def names_person(holding: Holding, row: AnyRow, who: Person) -> bool:
    """Whether a row names the person."""
    columns = (*holding.content, *holding.names)
    return any(about(who, text_of(getattr(row, name))) for name in columns)


def export(who: Person) -> dict[str, Any]:
    """All that is held of a person, by table."""
    held: dict[str, Any] = {
        holding.name: [
            {name: _plain(getattr(row, name)) for name in holding.columns}
            for rows in batches(holding, who)
            for row in rows
        ]
        for holding in HOLDINGS
    }
    with reading() as c:
        held["opt_outs"] = opt_outs(c, who)
    return held


def opt_outs(c: Connection, who: Person) -> list[dict[str, Any]]:
    """The person's wish to get no messages; it is kept, for it is what protects them."""
    query = select(OptOut.phone, OptOut.at, OptOut.source).where(OptOut.phone == who.phone)
    return [dict(row._mapping) for row in c.execute(query)] if who.phone else []


def _plain(value: Any) -> Any:
    return text_of(value) if isinstance(value, bytes) else value
