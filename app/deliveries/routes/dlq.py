"""JSON door of the dead letters: list, show, retry, archive, delete, and work on many."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request
from pydantic import BaseModel, ConfigDict, Field

from app import clock
from app.access.guards import by, require, sees_whole
from app.access.rules.local_path import local_path
from app.db import reading
from app.deliveries.actions import bulk, dead_letters
from app.deliveries.actions.retry_event import retry_event
from app.deliveries.actions.revive import Moved
from app.deliveries.queries import bulks
from app.deliveries.queries import dead_letters as queries
from app.deliveries.queries.dead_letters import DeadLetterFilter, Narrow, Positive
from app.deliveries.routes.shapes import bulk_data, letter_data, letter_with_attempts
from app.errors import Conflict
from app.web import answer, arguments, body, done, validate
from app.web.inputs import FORMS

blueprint = Blueprint("dlq", __name__, url_prefix="/api")
# No identifier is larger than the database's integers.
ONE = "/dlq/<int(max=9223372036854775807):letter_id>"
BULK = "/dlq/bulks/<int(max=9223372036854775807):bulk_id>"
EVENT = "/events/<int(max=9223372036854775807):event_id>"


class Reason(BaseModel):
    """Body of a deed: why it is done."""

    why: str | None = Field(None, max_length=500)


class Selection(Reason):
    """Body of a deed on some letters."""

    ids: list[int] = Field(min_length=1, max_length=500)


class Many(Narrow, Reason):
    """Body of a deed on all that a filter means; a misspelt filter must not mean everything."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    limit: Positive = None
    # When the list was looked at (ms): what died since was not seen and stays.
    seen_at: Positive = None


@blueprint.get("/dlq")
@require("dlq.read", scope="dlq:read")
def index() -> Response:
    """Dead letters, newest first; the open ones unless `state` says otherwise."""
    wanted = arguments(DeadLetterFilter)
    with reading() as c:
        page = queries.list_dead_letters(c, wanted, clock.now())
    return answer(page.as_json(letter_data))


@blueprint.get("/dlq/stats")
@require("dlq.read", scope="dlq:read")
def stats() -> Response:
    """How many are open, since when, of which type and cause."""
    with reading() as c:
        return answer({"data": queries.statistics(c, clock.now())})


@blueprint.get(ONE)
@require("dlq.read", scope="dlq:read")
def show(letter_id: int) -> Response:
    """One, with its attempts and its payload."""
    with reading() as c:
        row = queries.find_dead_letter(c, letter_id)
        attempts = queries.attempts_of(c, row.delivery_id)
    whole = sees_whole(f"dead_letter:{letter_id}")
    return answer({"data": letter_with_attempts(row, attempts, whole)})


@blueprint.post(f"{ONE}/retry")
@require("dlq.retry", scope="dlq:write")
def retry(letter_id: int) -> Response:
    """Send it again, to its own system only."""
    event_id = dead_letters.retry(letter_id, by=by(), why=body(Reason).why, now=clock.now())
    return _done("Dead letter queued for retry", event_id=event_id)


@blueprint.post(f"{ONE}/archive")
@require("dlq.archive", scope="dlq:write")
def archive(letter_id: int) -> Response:
    """Put it aside."""
    dead_letters.archive(letter_id, by=by(), why=body(Reason).why, now=clock.now())
    return _done("Dead letter archived")


@blueprint.post(f"{ONE}/unarchive")
@require("dlq.archive", scope="dlq:write")
def unarchive(letter_id: int) -> Response:
    """Take it back."""
    dead_letters.unarchive(letter_id, by=by(), why=body(Reason).why, now=clock.now())
    return _done("Dead letter is open again")


@blueprint.delete(ONE)
@require("dlq.delete", scope="dlq:write")
def delete(letter_id: int) -> Response:
    """Delete an archived one."""
    dead_letters.delete(letter_id, by=by(), why=body(Reason).why)
    return _done("Dead letter deleted")


@blueprint.post("/dlq/retry")
@require("dlq.retry", scope="dlq:write")
def retry_selection() -> Response:
    """Send a selection again."""
    chosen = _selection()
    moved = dead_letters.retry_selection(chosen.ids, by=by(), why=chosen.why, now=clock.now())
    return _moved("queued for retry", moved)


@blueprint.post("/dlq/archive")
@require("dlq.archive", scope="dlq:write")
def archive_selection() -> Response:
    """Put a selection aside."""
    chosen = _selection()
    moved = dead_letters.archive_selection(chosen.ids, by=by(), why=chosen.why, now=clock.now())
    return _moved("archived", moved)


@blueprint.post("/dlq/retry-all")
@require("dlq.bulk", scope="dlq:write")
def retry_all() -> Response:
    """Send all of a filter again, in the background."""
    return _ask("retry", "retry")


@blueprint.post("/dlq/archive-all")
@require("dlq.bulk", scope="dlq:write")
def archive_all() -> Response:
    """Put all of a filter aside, in the background."""
    return _ask("archive", "archiving")


@blueprint.get(BULK)
@require("dlq.read", scope="dlq:read")
def show_bulk(bulk_id: int) -> Response:
    """How far it is."""
    with reading() as c:
        return answer({"data": bulk_data(bulks.find_bulk(c, bulk_id))})


@blueprint.post(f"{BULK}/cancel")
@require("dlq.bulk", scope="dlq:write")
def cancel_bulk(bulk_id: int) -> Response:
    """Stop it; what is done stays done."""
    bulk.cancel(bulk_id, by=by(), why=body(Reason).why, now=clock.now())
    return show_bulk(bulk_id)


@blueprint.post(f"{EVENT}/retry")
@require("events.retry", scope="events:write")
def retry_one_event(event_id: int) -> Response:
    """Send an event again to the systems that have not accepted it."""
    found = retry_event(event_id, by=by(), why=body(Reason).why, now=clock.now())
    if not found.revived and not found.hurried:
        reasons = "; ".join(found.skipped) or "nenhuma entrega deste evento falhou ou espera"
        raise Conflict(f"Nada a reprocessar: {reasons}.")
    count = found.revived + found.hurried
    told = {"event_id": event_id, "deliveries": count, "skipped": found.skipped}
    return _done("Event queued for retry", **told)


def _ask(action: str, noun: str) -> Response:
    """Freeze the set and answer with its number before anything of it is done."""
    wanted = _many()
    asked = bulk.ask(
        action,
        wanted,
        by=by(),
        now=clock.now(),
        why=wanted.why,
        limit=wanted.limit,
        seen_at=wanted.seen_at,
    )
    data = {
        "message": f"{asked.total} dead letters queued for {noun}",
        "bulk_id": asked.id,
        "count": asked.total,
    }
    to = f"/dlq/lotes/{asked.id}" if asked.id else _here()
    return done(data, to, status=202 if asked.id else 200)


def _selection() -> Selection:
    """The ticked letters; a form says `ids` once for each."""
    if request.mimetype not in FORMS:
        return body(Selection)
    ticked = {"ids": request.form.getlist("ids"), "why": request.form.get("why")}
    return validate(Selection, ticked)


def _many() -> Many:
    """The filter of a deed on many; a form carries its token beside it."""
    if request.mimetype not in FORMS:
        return body(Many)
    fields = {key: value for key, value in request.form.items() if key != "csrf_token"}
    return validate(Many, fields)


def _moved(verb: str, moved: Moved) -> Response:
    """What became of a selection."""
    skipped = {str(id_): reason for id_, reason in moved.skipped.items()}
    return _done(f"{len(moved.done)} dead letters {verb}", done=len(moved.done), skipped=skipped)


def _done(message: str, **more: Any) -> Response:
    return done({"message": message, **more}, _here())


def _here() -> str:
    """Back to the page the form stands on, with its filter."""
    return local_path(request.referrer, request.host)
