"""The webhooks of the systems: proved by signature or token, stored, answered at once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from flask import Blueprint, Response
from htmx_flask import request
from pydantic import BaseModel, ConfigDict

from app import clock
from app.access.guards import open_to_all
from app.errors import Conflict
from app.events.actions import intake
from app.events.routes.proof import Proof, prove, prove_whatsapp
from app.events.rules import new_event, zapi
from app.events.rules.incoming import EventType
from app.events.rules.webhooks import DOORS, Door, key_of_webhook
from app.payloads import parse_json
from app.web import answer, validate
from app.web.inputs import max_nesting

blueprint = Blueprint("webhooks", __name__, url_prefix="/webhooks")


class Named(BaseModel):
    """What /webhooks/systems/… needs beside the signature: the type of the event."""

    model_config = ConfigDict(extra="allow")
    event_type: EventType


@blueprint.get("/whatsapp")
@open_to_all
def verify_whatsapp() -> Response:
    """The provider checks that somebody answers here."""
    challenge = request.args.get("challenge")
    if challenge:
        return answer({"challenge": challenge})
    return answer({"status": "ok", "service": "whatsapp-webhook"})


@blueprint.post("/whatsapp")
@open_to_all
def whatsapp() -> Response:
    """A message; callbacks that name another type are taken for what they are."""
    return _whatsapp(zapi.INBOUND, "webhook:whatsapp")


@blueprint.post("/whatsapp/status")
@open_to_all
def whatsapp_status() -> Response:
    """What became of messages and of the connection."""
    return _whatsapp(zapi.STATUS, "webhook:whatsapp/status")


@blueprint.post("/systems/<system>")
@open_to_all
def of_system(system: str) -> Response:
    """Any event of a system; its type stands in a header, else in the body."""
    raw = request.get_data()
    proof = prove(system, raw)
    document = parse_json(raw, max_nesting())
    event_type = _type_of(document, request.headers.get("X-Event-Type"))
    _store(event_type, system, document, raw, proof, f"webhook:systems/{system}")
    return answer({"status": "received", "event_type": event_type})


def _type_of(document: Any, header: str | None) -> str:
    """The type from the header, else from the body; Invalid for a body that is no object."""
    named = document
    if header and isinstance(document, dict):
        named = {**document, "event_type": header.strip()}
    return validate(Named, named).event_type


def _view_of(door: Door) -> Callable[[], Response]:
    """The view of one line of the table."""

    def view() -> Response:
        raw = request.get_data()
        proof = prove(door.source, raw)
        document = parse_json(raw, max_nesting())
        validate(door.fields, document)
        event_type = door.event_type(document)
        stored = _store(event_type, door.source, document, raw, proof, f"webhook:{door.path}")
        return answer({"status": "received", "event_id": stored})

    return open_to_all(view)


for _door in DOORS:
    _name = _door.path.replace("/", "_").replace("-", "_")
    blueprint.add_url_rule(f"/{_door.path}", _name, _view_of(_door), methods=["POST"])


def _store(event_type: str, source: str, payload: Any, raw: bytes, proof: Proof, via: str) -> int:
    """Store the event; its number. A byte-identical body counts once."""
    key = key_of_webhook(event_type, raw, proof.message_id)
    event = new_event(
        event_type, source, payload, raw=raw, via=via, key=key, verified=proof.verified
    )
    return intake.submit(event).id


def _whatsapp(assumed: str, via: str) -> Response:
    raw = request.get_data()
    proof = prove_whatsapp(raw)
    found = zapi.normalise(parse_json(raw, max_nesting()), assumed, clock.now())
    key = found.key or key_of_webhook(found.event_type, raw, proof.message_id)
    event = new_event(
        found.event_type,
        "whatsapp",
        found.payload,
        raw=raw,
        via=via,
        key=key,
        verified=proof.verified,
    )
    # Sent again with another time or name in it, it clashes: the message has been counted.
    with suppress(Conflict):
        intake.submit(event)
    return answer({"status": "received"})
