"""What is held of a person: the tables that keep what was sent, read in batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import Connection

from app.automations.models import AutomationStep
from app.db import Base, reading
from app.deliveries.models import PENDING, Attempt, DeadLetter, Delivery, FormerBody
from app.events.models import Event
from app.messages.models import Message, OptOut, WhatsAppMessage
from app.paging import AnyRow
from app.runbook.models.checklists import Checklist, ChecklistItem, ChecklistTick
from app.runbook.models.incidents import Incident, IncidentEntry
from app.runbook.models.procedures import ProcedureRun, ProcedureStep
from app.runbook.rules.privacy import Person, about, known_as
from app.syncs.models import PENDING as UNWRITTEN
from app.syncs.models import WRITTEN, SyncItem

AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Holding:
    """A table and its columns that may hold personal data.

    `content` is sent and shown, `names` only name a row (they have no use once it is over).
    `busy(row)`: it is still on its way and is left alone. `shown`: columns of an export.
    `kin`: the column with the event or delivery that it belongs to.
    """

    name: str
    model: type[Base]
    content: tuple[str, ...]
    names: tuple[str, ...] = ()
    state: str = ""
    busy_states: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    kin: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """All that is read."""
        return tuple(dict.fromkeys(("id", *self.content, *self.names, *self.shown, *self._more)))

    @property
    def _more(self) -> tuple[str, ...]:
        return tuple(name for name in (self.state, self.kin) if name)

    def busy(self, row: AnyRow) -> bool:
        """Whether the row is still on its way."""
        return bool(self.state) and getattr(row, self.state) in self.busy_states


# What belongs to an event stands before it: an erasure that was cut short still knows whose it is.
HOLDINGS = (
    Holding("attempts", Attempt, ("response_body", "error", "url", "request_headers"), (), "", (),
            ("delivery_id", "started_at"), "delivery_id"),
    Holding("former_bodies", FormerBody, ("body", "why"), (), "", (), ("at",), "delivery_id"),
    Holding("dead_letters", DeadLetter, ("reason", "note"), (), "", (), ("died_at",), "event_id"),
    Holding("automation_steps", AutomationStep, ("note",), ("lane",), "state",
            ("waiting", "held", "going"), ("event_id", "step"), "event_id"),
    Holding("whatsapp_messages", WhatsAppMessage, ("phone", "error"), (), "", (),
            ("created_at",), "delivery_id"),
    Holding("messages", Message, ("address",), (), "", (),
            ("direction", "channel", "template", "created_at"), "event_id"),
    Holding("deliveries", Delivery, ("body", "output"), ("lane", "dedupe"), "status", (PENDING,),
            ("system", "kind", "created_at"), "event_id"),
    Holding("events", Event, ("payload", "raw"), ("idempotency_key",), "status",
            ("pending", "processing"), ("event_type", "source_system", "created_at")),
    Holding("sync_items", SyncItem, ("payload", "error"), (), "state", (UNWRITTEN, WRITTEN),
            ("job_type", "created_at")),
    # What operators wrote down.
    Holding("incidents", Incident, ("details", "resolution")),
    Holding("incident_entries", IncidentEntry, ("text",)),
    Holding("checklists", Checklist, ("note",)),
    Holding("procedure_runs", ProcedureRun, ("note",)),
    Holding("procedure_steps", ProcedureStep, ("note",)),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kin:
    """Events about the person, and their deliveries: what hangs on them is about them, too."""

    event_id: frozenset[int] = frozenset()
    delivery_id: frozenset[int] = frozenset()

    def has(self, holding: Holding, row: AnyRow) -> bool:
        """Whether a row belongs to one of them."""
        return bool(holding.kin) and getattr(row, holding.kin) in getattr(self, holding.kin)


def kin_of(who: Person) -> Kin:
    """The events that name the person, and all that left the hub because of them."""
    by_name = {holding.name: holding for holding in HOLDINGS}
    events = {row.id for rows in batches(by_name["events"], who) for row in rows}
    kin = Kin(frozenset(events))
    deliveries = {row.id for rows in batches(by_name["deliveries"], who, kin) for row in rows}
    return Kin(kin.event_id, frozenset(deliveries))


def further_names(who: Person) -> dict[str, list[str]]:
    """Phones, e-mails and CPF that stand beside the known ones in the person's events: what is
    held under those alone is found by them only."""
    events = next(holding for holding in HOLDINGS if holding.name == "events")
    found: dict[str, set[str]] = {}
    for rows in batches(events, who):
        for row in rows:
            for kind, name in known_as(who, text_of(row.payload)):
                found.setdefault(kind, set()).add(name)
    return {kind: sorted(names) for kind, names in sorted(found.items())}


NOTED = (ChecklistItem, ChecklistTick)


def text_of(value: Any) -> str:
    """A stored value as text."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")


def batches(holding: Holding, who: Person, kin: Kin | None = None) -> Iterator[list[AnyRow]]:
    """Rows of a table that are about the person, a batch of the table at a time."""
    columns = [getattr(holding.model, name) for name in holding.columns]
    kin, key, last = kin or Kin(), columns[0], 0
    while True:
        with reading() as c:
            query = select(*columns).where(key > last).order_by(key).limit(AT_ONCE)
            rows: Sequence[AnyRow] = c.execute(query).all()
        if not rows:
            return
        last = rows[-1].id
        if found := [row for row in rows if kin.has(holding, row) or names(holding, row, who)]:
            yield found


def names(holding: Holding, row: AnyRow, who: Person) -> bool:
    """Whether a row names the person."""
    columns = (*holding.content, *holding.names)
    return any(about(who, text_of(getattr(row, name))) for name in columns)


def export(who: Person) -> dict[str, Any]:
    """All that is held of a person, by table."""
    kin = kin_of(who)
    held: dict[str, Any] = {
        holding.name: [
            {name: _plain(getattr(row, name)) for name in holding.columns}
            for rows in batches(holding, who, kin)
            for row in rows
        ]
        for holding in HOLDINGS
    }
    with reading() as c:
        held["opt_outs"] = opt_outs(c, who)
        held["checklist_notes"] = [text for model in NOTED for text in notes(c, model, who)]
    return held


def notes(c: Connection, model: type[Base], who: Person) -> list[str]:
    """What people wrote beside lines of checklists and names the person."""
    written = model.__table__.c.note
    query = select(written).where(written != "").distinct()
    return [text for text in c.scalars(query) if about(who, text)]


def opt_outs(c: Connection, who: Person) -> list[dict[str, Any]]:
    """The person's wish to get no messages; it is kept, for it is what protects them."""
    query = select(OptOut.phone, OptOut.at, OptOut.source).where(OptOut.phone == who.phone)
    return [dict(row._mapping) for row in c.execute(query)] if who.phone else []


def _plain(value: Any) -> Any:
    return text_of(value) if isinstance(value, bytes) else value
