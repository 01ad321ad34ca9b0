"""The feedback link: made for an e-mail, used once, turned into an event."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import current_app
from sqlalchemy import select
from sqlalchemy.engine import Connection

from app.config import Settings
from app.db import reading
from app.errors import Conflict, NotFound
from app.events.actions.intake import submit
from app.events.models import Event
from app.events.rules import new_event
from app.messages.rules import feedback as rules
from app.messages.rules.feedback import Opinion, Ticket
from app.payloads import dump_json

SOURCE = "operacao"
SOURCES = (SOURCE, "whatsapp")
GONE = "Este link não vale mais. Se quiser, conte para nós pelo WhatsApp."


class Used(Conflict):
    """An opinion on this service has come already."""

    def __init__(self) -> None:
        super().__init__("Sua avaliação já chegou. Muito obrigado!")


@dataclass(frozen=True, slots=True)
class Asked:
    """The service that an opinion is wanted on."""

    event_id: int
    service: Mapping[str, Any]

    @property
    def key(self) -> str:
        """What makes a second opinion the same."""
        return rules.key_of(self.service, self.event_id)


def link_for(event_id: int, now: int) -> str:
    """The address to put into an e-mail."""
    settings: Settings = current_app.extensions["settings"]
    base = settings.public_url or f"http://{settings.host}:{settings.port}"
    token = rules.sign(Ticket(event_id, now + rules.VALID_MS), str(current_app.secret_key))
    return f"{base.rstrip('/')}/feedback/{token}"


def asked_by(token: str, now: int) -> Asked:
    """The service behind a link. NotFound for a link that is not ours or over; Used."""
    ticket = rules.read(token, str(current_app.secret_key))
    if ticket is None or not now <= ticket.until <= now + rules.VALID_MS:
        raise NotFound(GONE)
    with reading() as c:
        payload = c.scalar(select(Event.payload).where(Event.id == ticket.event_id))
        service = json.loads(payload) if payload else None
        if not isinstance(service, dict):
            raise NotFound(GONE)
        asked = Asked(ticket.event_id, service)
        if _is_used(c, asked.key):
            raise Used
    return asked


def give(token: str, opinion: Opinion, now: int) -> None:
    """Store the opinion as an event. NotFound, Used."""
    asked = asked_by(token, now)
    payload = rules.payload_of(asked.service, opinion)
    event = new_event(
        "feedback.received", SOURCE, payload, raw=dump_json(payload), via="feedback", key=asked.key
    )
    try:
        stored = submit(event)
    except Conflict:
        # Two forms at the same moment: the first one counts.
        raise Used from None
    if stored.repeat:
        raise Used


def _is_used(c: Connection, key: str) -> bool:
    query = select(Event.id).where(Event.source_system.in_(SOURCES), Event.idempotency_key == key)
    return c.execute(query.limit(1)).first() is not None
