"""What a person does in a run: say something about a step, press a button, note, end it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, request
from flask_babel import gettext as _
from pydantic import BaseModel, Field

from app import clock, web
from app.access.guards import by, require
from app.access.whom import refusal
from app.db import reading
from app.errors import Conflict, Forbidden, Invalid, NotFound
from app.runbook.actions.procedures import runs as actions
from app.runbook.actions.procedures.deeds import PERFORM, Done, Order
from app.runbook.queries.procedures import runs
from app.runbook.queries.procedures.scene import scene_of
from app.runbook.routes.door import blueprint
from app.runbook.routes.procedures.pages import ONE, RUN, WRITE, named, to_run, told
from app.runbook.rules.procedures.deeds import DEEDS, Deed
from app.runbook.rules.procedures.shape import Verdict
from app.web.inputs import FORMS

OURS = ("confirmed", "why", "step", "stay")
LONGEST_FIELD = 80


class Said(BaseModel):
    """What is said about a step."""

    note: str = Field("", max_length=1000)


class Asked(BaseModel):
    """What comes with a button: its step, whether that stays open, the reason, the "yes"."""

    step: str = Field("", max_length=40)
    why: str = Field("", max_length=500)
    confirmed: str = ""
    stay: bool = False


class Ended(BaseModel):
    """How a run ends."""

    outcome: str = Field("solved", max_length=12)
    note: str = Field("", max_length=4000)


@blueprint.post(f"{ONE}/passos/<step>/<command>")
@require(RUN, scope=WRITE)
def say_step(run_id: int, step: str, command: str) -> Response:
    """Done, skipped, not solved, open again; what the data says now is kept with it."""
    verdict = _verdict(run_id, step)
    note = web.body(Said).note.strip()
    actions.say(run_id, step, command, verdict, by=by(), now=clock.now(), note=note)
    words = {"done": _("Passo feito."), "skipped": _("Passo pulado."),
             "unsolved": _("Anotado que não resolveu: veja o que vem agora."),
             "reopened": _("Passo reaberto.")}  # fmt: skip
    return told(words[command], run_id)


@blueprint.post(f"{ONE}/passos/<step>/nota")
@require(RUN, scope=WRITE)
def note_step(run_id: int, step: str) -> Response:
    """Write something down at a step."""
    _verdict(run_id, step)
    actions.add_note(run_id, step, web.body(Said).note, by=by(), now=clock.now())
    return told(_("Nota guardada."), run_id, step=step)


@blueprint.post(f"{ONE}/acoes/<deed>")
@require(RUN, scope=WRITE)
def do_deed(run_id: int, deed: str) -> Response:
    """Press a button; what is outward is asked about first."""
    if deed not in DEEDS:
        raise NotFound("Ação não encontrada")
    about, asked = DEEDS[deed], web.body(Asked)
    fields = _fields(about)
    if not by().can(about.ability):
        raise Forbidden(refusal(about.ability))
    with reading() as c:
        row = runs.find_run(c, run_id)
    if row.ended_at is not None:
        raise Conflict("Esta execução já foi encerrada")
    if about.title and not (asked.confirmed and (asked.why.strip() or not about.why)):
        return _ask(run_id, about, asked)
    done = _perform(run_id, deed, asked, fields)
    result = dict(done.result)
    return told(done.text, run_id, ok=done.ok, step=asked.step, stay=asked.stay, result=result)


def _perform(run_id: int, deed: str, asked: Asked, fields: Mapping[str, str]) -> Done:
    now, why = clock.now(), asked.why.strip()
    done = PERFORM[deed](Order(run_id, fields, by(), now, why))
    shown = {name: value for name, value in fields.items() if name != "phone"}
    result = {**shown, **done.result, "text": done.result.get("text", "")}
    actions.note_deed(run_id, asked.step, deed, result, by=by(), now=now, note=why)
    return done


def _fields(about: Deed) -> dict[str, str]:
    """What the deed's button carries, from the form or the JSON; the rest is left. Invalid."""
    given: Mapping[str, Any] = request.form
    if request.mimetype not in FORMS:
        given = request.get_json(silent=True) or {}
    found = {name: given[name] for name in about.fields if name in given}
    for name, value in found.items():
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise Invalid(details={name: ["must be a text or a number"]})
        if len(str(value)) > LONGEST_FIELD:
            text = f"must have at most {LONGEST_FIELD} characters"
            raise Invalid(_("Valor longo demais: %(name)s", name=name), {name: [text]})
    return {name: str(value) for name, value in found.items()}


def _ask(run_id: int, about: Deed, asked: Asked) -> Response:
    """The question as a page: without JavaScript, or when the reason is missing."""
    missing = _("Escreva o motivo") if asked.confirmed else ""
    reason = {"label": _("Motivo"), "value": asked.why or about.usual, "error": missing}
    kept = {*OURS, *about.fields}
    fields = {k: v for k, v in request.form.to_dict(flat=False).items() if k in kept}
    return web.answer(
        {"error": "confirmed=1 and why are missing"}, page="confirm.html",
        status=422 if missing or not web.wants_html() else 200, title=about.title,
        effect=about.effect, verb=about.verb or about.label, action=request.path,
        fields=fields, cancel_url=to_run(run_id),
        danger=about.danger, reason=reason if about.why else None,
    )  # fmt: skip


@blueprint.post(f"{ONE}/encerrar")
@require(RUN, scope=WRITE)
def end_run(run_id: int) -> Response:
    """End it: solved, escalated or given up; what the data says goes into the report."""
    with reading() as c:
        row, entries = runs.find_run(c, run_id), runs.entries(c, run_id)
    asked, found = web.body(Ended), named(row.key)
    scene = scene_of(row, entries)
    verdicts = [(step.key, step.check(scene)) for step in found.steps]
    actions.close(run_id, asked.outcome, verdicts, by=by(), now=clock.now(), note=asked.note)
    return told(_("Execução encerrada: este é o relatório."), run_id)


def _verdict(run_id: int, step: str) -> Verdict:
    """What the data says about the step now; NotFound: it has no such step."""
    with reading() as c:
        row, entries = runs.find_run(c, run_id), runs.entries(c, run_id)
    found = named(row.key).step(step)
    if found is None:
        raise NotFound("Passo não encontrado")
    return found.check(scene_of(row, entries))
