"""Today's checklist: the live page, the answers to its items, the hand-over that was left."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from flask import Response, current_app, render_template, request, url_for
from flask_babel import gettext as _
from pydantic import BaseModel, Field
from werkzeug.routing import BuildError

from app import clock, web
from app.access.guards import by, require
from app.db import reading
from app.errors import Invalid
from app.runbook.actions import checklists, ticks
from app.runbook.queries import checklists as queries
from app.runbook.queries.checklists import Item, Sheet
from app.runbook.queries.handover import hand_over
from app.runbook.queries.procedures.now import due
from app.runbook.queries.readings import take_readings
from app.runbook.routes.door import blueprint
from app.runbook.routes.shapes import item_data, sheet_data
from app.runbook.rules import shifts
from app.runbook.rules.procedures import PROCEDURES
from app.runbook.rules.ticks import NOT_APPLICABLE
from app.web.answers import html

ID = "<int(max=9223372036854775807):checklist_id>"
PAGE, PART = "runbook/today.html", "runbook/_today.html"
VERBS = {"done": "done", "not-applicable": NOT_APPLICABLE, "failed": "failed", "undo": "undo"}
ANY = ", ".join(f"'{verb}'" for verb in VERBS)


class TickForm(BaseModel):
    """What the page sends about an item; `why` comes from the question without JavaScript."""

    command: Literal["done", "not_applicable", "failed", "undo"]
    seen: int
    note: str = Field("", max_length=2000)
    why: str = Field("", max_length=2000)


class TickBody(BaseModel):
    """What a program sends; `seen` is the item's seq that it looked at."""

    note: str = Field("", max_length=2000)
    seen: int | None = None


@blueprint.get("/hoje")
@require("overview.read")
def today() -> Response:
    """The checklist of the shift, checked against the data each time it is looked at."""
    present = _present()
    context = _context(present)
    return web.live(lambda: {"data": sheet_data(present.sheet)}, PAGE, PART, context, **context)


class Present(NamedTuple):
    """The shift's checklist, and the hand-over note as it would begin at this moment."""

    sheet: Sheet
    note: str = ""


def _present() -> Present:
    """The shift's checklist with fresh evidence, as long as it takes answers."""
    zone, now = current_app.extensions["settings"].zone, clock.now()
    checklist_id = checklists.ensure(now, zone)
    with reading() as c:
        found = queries.sheet(c, checklist_id, now, zone)
    if not found.open:
        return Present(found)
    readings = take_readings(now, zone)
    checklists.look(checklist_id, readings)
    with reading() as c:
        found = queries.sheet(c, checklist_id, now, zone)
    return Present(found, hand_over(found, readings.seen))


def _context(present: Present, errors: dict[int, str] | None = None) -> dict[str, Any]:
    """What the live part shows."""
    found = present.sheet
    zone, now = current_app.extensions["settings"].zone, clock.now()
    with reading() as c:
        late = queries.late_checklists(c, now, zone)
        left = queries.unread_note(c, found.row.id)
        chores = due(c, now)
    missed = [row for row, state in reversed(late) if state == shifts.MISSED]
    return {
        "sheet": found,
        "left": left,
        "missed": missed,
        "note": present.note,
        "chores": chores,
        "names": PROCEDURES,
        "errors": errors or {},
        "times": shifts.TIMES,
        "labels": shifts.LABELS,
        "procedure_url": procedure_url,
        "incident_url": incident_url,
        "origin_of": origin_of,
        "more_url": more_url,
    }


def procedure_url(found: Sheet, item: Item) -> str:
    """The procedure that mends the item; '' where there is none."""
    key = item.about.procedure
    return _url("runbook.procedure", key=key, origin=origin_of(found, item)) if key else ""


def incident_url(found: Sheet, item: Item) -> str:
    """The form of a new incident, prefilled from the item."""
    value = f" ({item.last.value})" if item.last else ""
    title = f"{item.title}{value}"[:150]
    return _url("runbook.new_incident", title=title, source=origin_of(found, item))


def origin_of(found: Sheet, item: Item) -> str:
    """How what is begun from the item names it."""
    return f"checklist:{found.row.id}:{item.n}"


def more_url(item: Item) -> str:
    """The page that shows more than the item's figure."""
    return _url(item.about.endpoint) if item.about.endpoint else ""


def _url(endpoint: str, **values: Any) -> str:
    try:
        return url_for(endpoint, **values)
    except BuildError:
        return ""


@blueprint.post(f"/hoje/{ID}/<int(max=99):n>")
@require("checklists.tick")
def tick(checklist_id: int, n: int) -> Response:
    """Answer an item, or undo the answer; the page comes back with what is true now."""
    form = web.body(TickForm)
    note = form.note or form.why
    try:
        _tick(checklist_id, n, form.command, note, form.seen)
    except Invalid as problem:
        if web.wants_html():
            return _ask(problem, n, form)
        raise
    if not web.wants_part():
        return web.done({}, url_for("runbook.today", _anchor=f"item-{n}"))
    return html(render_template(PART, live=True, answered=n, **_context(_present())))


def _tick(checklist_id: int, n: int, command: str, note: str, seen: int | None) -> None:
    """What the data says now belongs to the answer, not what it said when the page was made."""
    zone, now = current_app.extensions["settings"].zone, clock.now()
    with reading() as c:
        is_open = queries.sheet(c, checklist_id, now, zone).open
    if is_open:
        checklists.look(checklist_id, take_readings(now, zone))
    ticks.tick(checklist_id, n, command, note, seen, by=by(), now=now, zone=zone)


def _ask(problem: Invalid, n: int, form: TickForm) -> Response:
    """The missing note, asked in the page or, without JavaScript, on a page of its own."""
    text = problem.details["note"][0]
    found = _present()
    if web.wants_part():
        return html(render_template(PART, live=True, **_context(found, {n: text})), 422)
    title = next((item.title for item in found.sheet.items if item.n == n), "")
    return web.answer(
        {},
        page="confirm.html",
        status=422,
        title=title,
        effect=_("A resposta e o motivo ficam no checklist, com seu nome e a hora."),
        verb=_("Não se aplica") if form.command == NOT_APPLICABLE else _("Marcar como feito"),
        action=request.path,
        fields={"command": form.command, "seen": form.seen},
        cancel_url=url_for("runbook.today"),
        danger=False,
        reason={"label": text, "value": form.note or form.why, "error": text},
    )


@blueprint.post(f"/hoje/{ID}/lida")
@require("checklists.tick")
def note_read(checklist_id: int) -> Response:
    """Say that the hand-over was read."""
    checklists.mark_read(checklist_id, by=by(), now=clock.now())
    if not web.wants_part():
        return web.done({}, url_for("runbook.today"))
    return html(render_template(PART, live=True, **_context(_present())))


@blueprint.get("/api/checklists/today")
@require("overview.read", scope="checklists:read", network=True)
def today_data() -> Response:
    """The shift's checklist as JSON."""
    return web.answer({"data": sheet_data(_present().sheet)})


@blueprint.post(f"/api/checklists/{ID}/items/<int(max=99):n>/<any({ANY}):verb>")
@require("checklists.tick", scope="checklists:tick")
def tick_data(checklist_id: int, n: int, verb: str) -> Response:
    """Answer an item as a program; the item as it is now."""
    wanted = web.body(TickBody)
    _tick(checklist_id, n, VERBS[verb], wanted.note, wanted.seen)
    zone, now = current_app.extensions["settings"].zone, clock.now()
    with reading() as c:
        found = queries.sheet(c, checklist_id, now, zone)
    item = next(item for item in found.items if item.n == n)
    return web.answer({"data": item_data(item)})
