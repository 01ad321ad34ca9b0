"""What a number may mean: an event, a dead letter, an incident …, or somebody's phone."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.engine import Connection

from app.db import Base
from app.deliveries.models import Bulk, DeadLetter, Delivery
from app.events.models import Event
from app.events.rules.phones import phone_digits
from app.messages.models import WhatsAppMessage
from app.numbers import whole
from app.runbook.models.incidents import Incident
from app.runbook.models.procedures import ProcedureRun

# Shorter ones are no phone with its area code.
SHORTEST_PHONE = 10
FEW = 50


class Found(NamedTuple):
    """Something with this number: what it is, its words, its page (endpoint, value)."""

    kind: str
    text: str
    endpoint: str
    values: dict[str, int]
    at: int | None = None


# kind, table, its words and time, page and the page's argument
NUMBERED: tuple[tuple[str, type[Base], Any, Any, str, str], ...] = (
    ("Evento", Event, Event.event_type, Event.created_at, "event_page.show", "event_id"),
    ("Mensagem com erro", DeadLetter, DeadLetter.event_type, DeadLetter.died_at,
     "dead_letters.show", "letter_id"),
    ("Incidente", Incident, Incident.title, Incident.opened_at, "runbook.incident", "incident_id"),
    ("Procedimento", ProcedureRun, ProcedureRun.key, ProcedureRun.started_at, "runbook.run",
     "run_id"),
    ("Lote", Bulk, Bulk.action, Bulk.created_at, "bulks_page.show", "bulk_id"),
)  # fmt: skip


def find_number(c: Connection, text: str) -> list[Found]:
    """All that has the number, or that was sent to the phone; nothing for other texts."""
    number = whole(text.strip().lstrip("#"))
    found = [] if number is None else _numbered(c, number)
    phone = phone_digits(text)
    return found + (_sent_to(c, phone) if len(phone) >= SHORTEST_PHONE else [])


def _numbered(c: Connection, number: int) -> list[Found]:
    found = []
    for kind, model, words, at, endpoint, name in NUMBERED:
        key = model.__table__.c.id
        row = c.execute(select(words, at).where(key == number)).one_or_none()
        if row is not None:
            found.append(Found(kind, f"{row[0]} #{number}", endpoint, {name: number}, row[1]))
    return found


def _sent_to(c: Connection, phone: str) -> list[Found]:
    """Messages to a phone, the newest first: those on their way and those the provider took."""
    columns = (Delivery.id, Delivery.event_id, Delivery.event_type, Delivery.created_at)
    waiting = select(*columns).where(Delivery.lane == f"whatsapp:{phone}")
    taken = select(*columns).join(WhatsAppMessage, WhatsAppMessage.delivery_id == Delivery.id)
    queries = (waiting, taken.where(WhatsAppMessage.phone == phone))
    rows = {
        row.id: row
        for query in queries
        for row in c.execute(query.order_by(Delivery.id.desc()).limit(FEW))
    }
    return [
        Found("WhatsApp", f"{row.event_type} #{row.event_id}", "event_page.show",
              {"event_id": row.event_id}, row.created_at)
        for row in sorted(rows.values(), key=lambda row: -row.id)[:FEW]
    ]  # fmt: skip
