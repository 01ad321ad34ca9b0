"""What steps may ask the database for, by name; everything else stands in their context."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from app.automations.models import RatedService
from app.db import Tx
from app.deliveries.models import SENT, WHATSAPP, Delivery
from app.events.models import Event
from app.facts import AcceptedEvent
from app.messages.models import WhatsAppMessage
from app.messages.rules.phones import normalise

ASKING = "ask_on_whatsapp"
LONGEST_ID = 80


def look_up(tx: Tx, names: Sequence[str], event: AcceptedEvent) -> dict[str, object]:
    """The things named, as far as they exist."""
    return {name: LOOKUPS[name](tx, event) for name in names}


def _rated(tx: Tx, event: AcceptedEvent) -> bool:
    """Whether an opinion on the event's service has come."""
    return is_rated(tx, str(event.payload.get("id", "")))


def is_rated(tx: Tx, service_id: str) -> bool:
    """Whether an opinion on the service has come, by whatever way."""
    query = select(RatedService.service_id).where(
        RatedService.service_id == service_id[:LONGEST_ID]
    )
    return tx.connection.execute(query).first() is not None


def _service(tx: Tx, event: AcceptedEvent) -> Mapping[str, Any] | None:
    """The service that a rating answers for: by the message answered, else the last asked."""
    reply_to = str(event.payload.get("reply_to") or "")[:LONGEST_ID]
    asked = _asked_in(tx, reply_to) if reply_to else None
    asked = asked or _asked_last(tx, normalise(str(event.payload.get("phone") or "")))
    payload = (
        tx.connection.scalar(select(Event.payload).where(Event.id == asked)) if asked else None
    )
    service = json.loads(payload) if payload else None
    if not isinstance(service, dict):
        return None
    return {
        "service_id": service.get("id"),
        "caregiver_id": service.get("caregiver_id"),
        "client_id": service.get("client_id"),
    }


def _asked_in(tx: Tx, message_id: str) -> int | None:
    """The event because of which this message was sent."""
    query = (
        select(Delivery.event_id)
        .join(WhatsAppMessage, WhatsAppMessage.delivery_id == Delivery.id)
        .where(WhatsAppMessage.message_id == message_id, Delivery.step == ASKING)
    )
    return tx.connection.scalar(query)


def _asked_last(tx: Tx, phone: str) -> int | None:
    """The event of the last request for an opinion that went to this phone."""
    if not phone:
        return None
    query = (
        select(Delivery.event_id)
        .where(
            Delivery.lane == f"{WHATSAPP}:{phone}", Delivery.status == SENT, Delivery.step == ASKING
        )
        .order_by(Delivery.id.desc())
        .limit(1)
    )
    return tx.connection.scalar(query)


LOOKUPS: Mapping[str, Callable[[Tx, AcceptedEvent], object]] = {
    "rated": _rated,
    "service": _service,
}
