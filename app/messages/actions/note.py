"""Note: every message between the hub and a person, as the list of messages shows it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import insert

from app.db import Tx
from app.facts import AcceptedEvent
from app.messages.models import IN, OUT, Message
from app.messages.rules.phones import normalise
from app.messages.rules.templates import WHATSAPP
from app.paging import AnyRow

LONGEST = 254


def note_out(
    tx: Tx, delivery_id: int, event_id: int, template: AnyRow, address: str, now: int
) -> None:
    """A message that a delivery carries, made of this version of a template."""
    row = {
        "direction": OUT, "channel": template.channel, "address": address[:LONGEST],
        "event_id": event_id, "delivery_id": delivery_id, "template": template.key,
        "version": template.version, "created_at": now,
    }  # fmt: skip
    tx.connection.execute(insert(Message).values(**row))


def note_in(tx: Tx, events: Sequence[AcceptedEvent]) -> None:
    """Messages that people wrote."""
    rows = [
        {
            "direction": IN, "channel": WHATSAPP, "event_id": event.id, "template": "",
            "address": normalise(str(event.payload.get("phone", "")))[:LONGEST],
            "created_at": event.created_at,
        }
        for event in events
    ]  # fmt: skip
    if rows:
        tx.connection.execute(insert(Message), rows)
