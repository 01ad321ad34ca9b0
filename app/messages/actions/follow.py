"""What callbacks and outcomes say: ticks of messages, the connection, who wants no messages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update

from app import clock
from app.db import Tx, insert_missing
from app.deliveries.models import WHATSAPP, Delivery
from app.facts import AcceptedEvent, DeliveriesSent, EventsAccepted
from app.messages.actions import connection
from app.messages.actions.note import note_in
from app.messages.actions.texts import opt_out
from app.messages.models import WhatsAppMessage
from app.messages.rules.bodies import Outbound
from app.messages.rules.phones import normalise
from app.messages.rules.ticks import FIELDS, wants_out

INBOUND, STATUS = "whatsapp.inbound", "whatsapp.status"
# Told of messages that left through the provider only, never of those typed on the phone.
LEFT = "DeliveryCallback"
LONGEST_ID = 80


def note_sent(tx: Tx, fact: DeliveriesSent) -> None:
    """Follower: the provider's ids of messages that left (their ticks may have come before)."""
    query = select(
        Delivery.id, Delivery.body, Delivery.output, Delivery.finished_at
    ).where(Delivery.id.in_(list(fact.ids)), Delivery.kind == WHATSAPP)  # fmt: skip
    for row in tx.connection.execute(query).all():
        ids = json.loads(row.output or "{}")
        if not (message_id := str(ids.get("messageId", ""))[:LONGEST_ID]):
            continue
        at = row.finished_at or 0
        _ensure(tx, message_id, at)
        tx.connection.execute(
            update(WhatsAppMessage)
            .where(WhatsAppMessage.message_id == message_id)
            .values(
                delivery_id=row.id, zaap_id=str(ids.get("zaapId", ""))[:LONGEST_ID],
                phone=Outbound.read(row.body).phone[:20],
                sent_at=func.coalesce(WhatsAppMessage.sent_at, at),
            )
        )  # fmt: skip


def note_accepted(tx: Tx, fact: EventsAccepted) -> None:
    """Follower: what inbound messages and callbacks of status tell, in the intake's transaction."""
    heard: list[AcceptedEvent] = []
    for event in fact.events:
        if event.source_system != "whatsapp" or not isinstance(event.payload, dict):
            continue
        if event.event_type == STATUS:
            _note_status(tx, event)
        elif event.event_type == INBOUND:
            _note_wish(tx, event)
            heard.append(event)
    note_in(tx, heard)


def _note_wish(tx: Tx, event: AcceptedEvent) -> None:
    """Somebody wants no more automatic messages."""
    phone = normalise(str(event.payload.get("phone", "")))
    if phone and wants_out(event.payload):
        opt_out(tx, phone, f"event:{event.id}", event.created_at)


def _note_status(tx: Tx, event: AcceptedEvent) -> None:
    payload: Mapping[str, Any] = event.payload
    status = str(payload.get("status", "")).upper()
    if status in ("CONNECTED", "DISCONNECTED"):
        told = str(payload.get("error", ""))
        connection.note_callback(tx, status == "CONNECTED", told, event.created_at)
        return
    field = FIELDS.get(status)
    ids = payload.get("message_ids")
    if field is None or not isinstance(ids, list):
        return
    values = _values(payload, field, event.created_at)
    for message_id in sorted({str(each)[:LONGEST_ID] for each in ids if each}):
        _ensure(tx, message_id, event.created_at)
        mine = WhatsAppMessage.message_id == message_id
        tx.connection.execute(update(WhatsAppMessage).where(mine).values(**values))


def _values(payload: Mapping[str, Any], field: str, now: int) -> dict[str, Any]:
    """What a callback writes to the messages that it names."""
    at = _moment(payload.get("received_at"), now)
    values: dict[str, Any] = {field: func.coalesce(getattr(WhatsAppMessage, field), at)}
    if field == "failed_at":
        values["error"] = str(payload.get("error", ""))[:300]
    if payload.get("type") == LEFT:
        values["told_at"] = now
        values["zaap_id"] = str(payload.get("zaap_id", ""))[:LONGEST_ID]
        values["phone"] = normalise(str(payload.get("phone", "")))[:20]
    return values


def _ensure(tx: Tx, message_id: str, now: int) -> None:
    """The message's row: a tick may be told before the send is recorded."""
    row = {"message_id": message_id, "zaap_id": "", "phone": "", "created_at": now, "error": ""}
    insert_missing(tx.connection, WhatsAppMessage, [row])


def _moment(text: object, otherwise: int) -> int:
    """An ISO instant as ms; what is none, or no moment that can be, is the other one."""
    try:
        at = clock.told(clock.from_datetime(datetime.fromisoformat(str(text))))
    except (ValueError, OverflowError):
        return otherwise
    return otherwise if at is None else at
