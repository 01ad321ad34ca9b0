"""JSON door of one event: its content, its deliveries and all that happened, in order of time."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from app import clock
from app.access.guards import require, sees_whole
from app.access.rules.masking import content
from app.db import reading
from app.deliveries.models import OPEN, PENDING, RETRYING
from app.deliveries.queries.way import EventWay, event_way
from app.deliveries.routes.shapes import attempt_data, letter_data
from app.deliveries.rules.way import Step
from app.events.queries import event_json
from app.paging import AnyRow
from app.web import answer

blueprint = Blueprint("event_way", __name__, url_prefix="/api/events")


@blueprint.get("/<int(max=9223372036854775807):event_id>")
@require("events.read", "events:read")
def show(event_id: int) -> Response:
    """The event with deliveries[], retry, dead_letter and its timeline."""
    with reading() as c:
        found = event_way(c, event_id)
    return answer({"data": way_data(found, sees_whole(f"event:{event_id}"))})


def way_data(found: EventWay, whole: bool) -> dict[str, Any]:
    """An event's way as JSON, `whole` or with personal data masked.

    `retry` and `dead_letter` are null where there is none.
    """
    letters = [letter_data(row) for row in found.letters.values()]
    wanted = [letter for letter in letters if letter["state"] in (OPEN, RETRYING)]
    return {
        **event_json(found.event),
        "idempotency_key": found.event.idempotency_key,
        "payload": content(found.event.payload, whole),
        "deliveries": [_delivery(found, row, whole) for row in found.deliveries],
        "deliveries_total": found.total,
        "retry": _next_retry(found),
        "dead_letter": max(wanted, key=lambda letter: letter["id"], default=None),
        "dead_letters": letters,
        "steps": [_follow_data(step) for step in found.follows],
        "timeline": [step_data(step) for step in found.steps],
    }


def _follow_data(step: Any) -> dict[str, Any]:
    """A step of the automation that follows the event."""
    return {
        "name": step.name,
        "state": step.state,
        "note": step.note or None,
        "left": list(step.left),
        "message_state": step.ticks or None,
        "due_at": clock.iso(step.due_at),
        "delivery_id": step.delivery_id,
        "finished_at": clock.iso(step.finished_at),
    }


def _delivery(found: EventWay, row: AnyRow, whole: bool) -> dict[str, Any]:
    """One delivery with its attempts and the dead letter it has become, if it has."""
    letter = found.letters.get(row.id)
    tried = [step.row for step in found.steps if step.kind == "attempt"]
    return {
        "id": row.id,
        "system": row.system,
        "kind": row.kind,
        "step": row.step or None,
        "status": row.status,
        "attempts": row.attempts,
        "next_attempt_at": _next_at(row),
        "mapping_version": row.mapping_version or None,
        "last_error": row.last_error or None,
        "created_at": clock.iso(row.created_at),
        "finished_at": clock.iso(row.finished_at),
        "dead_letter_id": letter.id if letter is not None else None,
        "attempt_log": [attempt_data(each, whole) for each in tried if each.delivery_id == row.id],
    }


def _next_at(row: AnyRow) -> str | None:
    """When a delivery that waits leaves; nothing for one in a worker's hands or ended."""
    return clock.iso(row.due_at) if row.status == PENDING and row.lease is None else None


def _next_retry(found: EventWay) -> dict[str, Any] | None:
    """The next of the deliveries that failed before and are tried again."""
    waiting = [row for row in found.deliveries if row.status == PENDING and row.attempts]
    if not waiting:
        return None
    first = min(waiting, key=lambda row: row.due_at)
    return {
        "delivery_id": first.id,
        "system": first.system,
        "attempts": first.attempts,
        "next_attempt_at": clock.iso(first.due_at),
        "waiting": len(waiting),
        "last_error": first.last_error,
    }


def step_data(step: Step) -> dict[str, Any]:
    """A step of the timeline: when, what, and of which delivery."""
    row = step.row
    told: dict[str, Any] = {"at": clock.iso(step.at), "kind": step.kind}
    if step.kind == "planned":
        return {**told, "systems": sorted({each.system for each in row})}
    if step.kind in ("received", "finished", "nowhere", "unplanned"):
        return {**told, "status": row.status} if step.kind == "finished" else told
    told |= {"delivery_id": row.delivery_id, "system": row.system}
    if step.kind == "attempt":
        return {**told, "number": row.number, "outcome": row.outcome, "status": row.status}
    return {**told, "dead_letter_id": row.id, "reason": row.reason, "by": row.changed_by}
