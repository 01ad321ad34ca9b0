"""Concluding a checklist: the hand-over note, prefilled with what is open, and the signature."""

from __future__ import annotations

from flask import Response, current_app, flash, url_for
from flask_babel import gettext as _
from pydantic import BaseModel, Field

from app import clock, web
from app.access.guards import by, require
from app.db import reading
from app.errors import Conflict, Invalid
from app.monitoring.queries.snapshot import take_snapshot
from app.runbook.actions import checklists
from app.runbook.queries import checklists as queries
from app.runbook.queries.checklists import Sheet
from app.runbook.queries.handover import hand_over
from app.runbook.routes.door import blueprint
from app.runbook.routes.shapes import sheet_data
from app.runbook.routes.today import ID


class SignForm(BaseModel):
    """The note for the next shift."""

    note: str = Field("", max_length=20_000)


@blueprint.get(f"/hoje/{ID}/assinar")
@require("checklists.tick")
def sign_form(checklist_id: int) -> Response:
    """Signing as a page of its own: what a refused signature comes back to."""
    found = _sheet(checklist_id)
    return _page(found, found.row.note or _prefilled(found))


@blueprint.post(f"/hoje/{ID}/assinar")
@require("checklists.tick")
def sign(checklist_id: int) -> Response:
    """Sign; the note stays in the page when that is not possible."""
    form, found = web.body(SignForm), _sheet(checklist_id)
    zone, now = current_app.extensions["settings"].zone, clock.now()
    try:
        checklists.sign(checklist_id, form.note, by=by(), now=now, zone=zone)
    except (Conflict, Invalid) as problem:
        if not web.wants_html():
            raise
        return _page(_sheet(checklist_id), form.note, problem)
    flash(_("%(label)s assinada. A passagem fica para o próximo turno.", label=found.label), "ok")
    return web.done({"data": sheet_data(_sheet(checklist_id))}, url_for("runbook.today"))


@blueprint.post(f"/api/checklists/{ID}/sign")
@require("checklists.tick", scope="checklists:tick")
def sign_data(checklist_id: int) -> Response:
    """Sign as a program; without a note it is prefilled."""
    wanted = web.body(SignForm)
    zone, now = current_app.extensions["settings"].zone, clock.now()
    note = wanted.note or _prefilled(_sheet(checklist_id))
    checklists.sign(checklist_id, note, by=by(), now=now, zone=zone)
    return web.answer({"data": sheet_data(_sheet(checklist_id))})


def _sheet(checklist_id: int) -> Sheet:
    zone, now = current_app.extensions["settings"].zone, clock.now()
    with reading() as c:
        return queries.sheet(c, checklist_id, now, zone)


def _page(found: Sheet, note: str, problem: Conflict | Invalid | None = None) -> Response:
    errors = {}
    if isinstance(problem, Invalid):
        errors = {field: texts[0] for field, texts in problem.details.items()}
    elif problem is not None:
        errors = {"note": problem.message}
    status = 200 if problem is None else 409 if isinstance(problem, Conflict) else 422
    page = "runbook/sign.html"
    return web.answer({}, page, status=status, sheet=found, note=note, errors=errors)


def _prefilled(found: Sheet) -> str:
    return hand_over(found, take_snapshot(clock.now()))
