"""JSON door of the events: post one or many, list them, count them."""

from __future__ import annotations

from collections import Counter
from typing import Any

from flask import Blueprint, Response, current_app
from htmx_flask import request

from app import clock
from app.access.guards import by, require
from app.db import reading
from app.events import queries
from app.events.actions import batch, intake
from app.events.queries import EventFilter
from app.events.routes.bodies import body, event_body, event_data
from app.events.rules import Accepted
from app.events.rules.incoming import Incoming, with_key
from app.payloads import parse_json
from app.web import answer, arguments, validate
from app.web.inputs import max_nesting

blueprint = Blueprint("events_api", __name__, url_prefix="/api/events")


@blueprint.post("")
@require("events.write", "events:write")
def create() -> Response:
    """Accept one event; a repeat gets the first one back."""
    raw = request.get_data()
    document = with_key(_document(raw), request.headers.get("Idempotency-Key"))
    incoming = validate(Incoming, document)
    accepted = intake.submit(incoming.as_new(raw, f"api:{by().name}"))
    status = 200 if accepted.repeat else 201
    response = Response(event_body(accepted), status, content_type="application/json")
    response.headers["Location"] = f"/api/events/{accepted.id}"
    return response


@blueprint.post("/batch")
@require("events.write", "events:write")
def create_many() -> Response:
    """Accept up to 1,000 events; the answers stand in the same order, each with its status."""
    items = batch.items_of(_document(request.get_data()))
    answers = [_item_data(item) for item in batch.accept_items(items, f"api:{by().name}")]
    statuses = Counter(each["status"] for each in answers)
    counts = {name: sum(statuses[code] for code in codes) for name, codes in _SUMS.items()}
    told = {"data": answers, "meta": {"total": len(answers), **counts}}
    return Response(body(told), content_type="application/json")


@blueprint.get("")
@require("events.read", "events:read")
def index() -> Response:
    """Events, newest first."""
    wanted = arguments(EventFilter)
    with reading() as c:
        page = queries.listed(c, wanted, current_app.extensions["settings"].zone)
    return answer(page.as_json())


@blueprint.get("/stats")
@require("events.read", "events:read")
def stats() -> Response:
    """How many events wait, and what became of today's."""
    zone = current_app.extensions["settings"].zone
    with reading() as c:
        return answer({"data": queries.stats(c, clock.now(), zone)})


# Sums of a batch's answers by their statuses.
_SUMS = {"accepted": (201,), "repeated": (200,), "refused": (409, 422)}


def _document(raw: bytes) -> Any:
    """The body as JSON, whatever content type it claims; none at all lacks every field."""
    return parse_json(raw, max_nesting()) if raw else {}


def _item_data(item: batch.ItemOutcome) -> dict[str, Any]:
    """The answer for one event of a batch, as if it had come alone."""
    if isinstance(item, Accepted):
        return {"status": 200 if item.repeat else 201, "data": event_data(item)}
    if isinstance(item, batch.Refused):
        return {"status": 422, "error": item.error.message, "details": item.error.details}
    return {"status": 409, "error": item.message}
