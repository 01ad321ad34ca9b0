"""The pages: all procedures, one to start, a run as a stepper and, once it is over, as a report."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, request, url_for
from flask_babel import gettext as _
from pydantic import BaseModel, Field

from app import clock, web
from app.access.guards import by, require
from app.access.rules.words import action_words
from app.access.whom import refusal
from app.db import reading
from app.deliveries.rules.advice import advice, decision
from app.deliveries.rules.careful import stage
from app.errors import NotFound
from app.messages import jobs
from app.monitoring.queries.snapshot import take_snapshot
from app.paging import AnyRow
from app.runbook.actions.procedures import runs as actions
from app.runbook.queries.origins import origin
from app.runbook.queries.procedures import now as symptoms
from app.runbook.queries.procedures import phone, runs
from app.runbook.queries.procedures.scene import default_subject, scene_of, subject_of, subjects
from app.runbook.routes.door import blueprint
from app.runbook.routes.procedures.words import LABELS, report_steps, run_data, step_data
from app.runbook.rules.procedures import PROCEDURES
from app.runbook.rules.procedures.deeds import DEEDS
from app.runbook.rules.procedures.messages import WHATSAPP
from app.runbook.rules.procedures.shape import Procedure, Scene
from app.runbook.rules.procedures.stepper import (
    Standing,
    current,
    is_over_time,
    is_solved,
    said,
    stand,
)

READ, RUN, WRITE = "overview.read", "procedures.run", "procedures:write"
NAV = "runbook.procedures"
ONE = "/procedimentos/execucoes/<int(max=9223372036854775807):run_id>"


class Started(BaseModel):
    """Where a run is started from, and what it is about."""

    subject: str = Field("", max_length=80, pattern=r"^[\w.-]*$")
    origin: str = Field("", max_length=80, pattern=r"^[\w:.-]*$")
    incident: int | None = Field(None, ge=1, le=2**62)


@blueprint.get("/procedimentos")
@require(READ, scope="overview:read")
def procedures() -> Response:
    """All ten, those first whose symptom is the case now."""
    seen = take_snapshot(clock.now())
    with reading() as c:
        now = symptoms.happening(c, seen)
        open_runs, past = runs.running(c), runs.ended(c)
    found = sorted(PROCEDURES.values(), key=lambda procedure: not now.get(procedure.key))
    data = {
        "data": [{"key": p.key, "title": p.title, "happening": now.get(p.key)} for p in found],
        "running": [run_data(row) for row in open_runs],
        "ended": [run_data(row) for row in past],
    }
    shown = (now, open_runs, past)
    return web.live(
        data, "runbook/procedures/index.html", "runbook/procedures/_index.html", shown,
        procedures=found, happening=now, runs=open_runs, past=past, names=PROCEDURES,
        refusal=refusal,
    )  # fmt: skip


@blueprint.get("/procedimentos/<key>")
@require(READ, scope="overview:read")
def procedure(key: str) -> Response:
    """What a procedure is for, and the way to start it; prefilled from the query string."""
    found, seen = named(key), take_snapshot(clock.now())
    wanted = web.arguments(Started)
    with reading() as c:
        now = symptoms.happening(c, seen).get(key, "")
        open_runs, past = runs.running(c, key), runs.ended(c, key)
    context: dict[str, Any] = {
        "nav_active": NAV, "procedure": found, "now": now, "runs": open_runs, "past": past,
        "wanted": wanted,
        "subjects": subjects(key, seen), "names": PROCEDURES, "refusal": refusal,
        "subject": wanted.subject or default_subject(key, seen),
    }  # fmt: skip
    data = {"data": {"key": key, "title": found.title, "steps": [s.title for s in found.steps]}}
    return web.answer(data, "runbook/procedures/start.html", **context)


@blueprint.post("/procedimentos/<key>")
@require(RUN, scope=WRITE)
def start_procedure(key: str) -> Response:
    """Begin a run, or join the one that is under way."""
    named(key)
    wanted, now = web.body(Started), clock.now()
    subject = subject_of(key, wanted.subject, take_snapshot(now))
    run_id = actions.start(
        key, subject, by=by(), now=now, origin=wanted.origin, incident_id=wanted.incident
    )
    return web.done({"data": whole_data(run_id)}, to_run(run_id), status=201)


@blueprint.get(ONE)
@require(READ, scope="overview:read")
def run(run_id: int) -> Response:
    """The stepper, live; the report once it is over."""
    with reading() as c:
        row, entries = runs.find_run(c, run_id), runs.entries(c, run_id)
    found = named(row.key)
    if row.ended_at is not None:
        return _report(found, row, entries)
    if row.key == WHATSAPP.key and phone.is_watch_due():
        jobs.watch()
    scene = scene_of(row, entries)
    steps = stand(found, scene, said(entries))
    context = _run_context(found, row, entries, scene, steps)
    chosen = request.args.get("passo", "")
    step = next((one for one in steps if one.step.key == chosen), None)
    context["open_step"] = step or current(steps)
    context["symptom"] = _symptom(found, row, scene)
    data = {"data": {**run_data(row), "steps": [step_data(one) for one in steps]}}
    seen = [(s.state, s.verdict, s.facts, s.acts) for s in steps]
    shown = (row, entries, seen, scene.data, context["symptom"], context["minutes"])
    page, part = "runbook/procedures/run.html", "runbook/procedures/_run.html"
    return web.live(data, page, part, shown, **context)


def _symptom(found: Procedure, row: AnyRow, scene: Scene) -> str:
    """What is the case now, of what the run is about; '' for nothing."""
    if found.about is not None and row.subject:
        return found.about(scene)
    with reading() as c:
        return symptoms.happening(c, scene.seen).get(row.key, "")


def _run_context(
    found: Procedure, row: AnyRow, entries: Any, scene: Scene, steps: list[Standing]
) -> dict[str, Any]:
    """What the templates of a run need."""
    return {
        "nav_active": NAV,
        "procedure": found,
        "run": row,
        "entries": entries,
        "steps": steps,
        "scene": scene,
        "known": scene.data,
        "deeds": DEEDS,
        "labels": LABELS,
        "refusal": refusal,
        "advice": advice,
        "decision": decision,
        "stage": stage,
        "solved": is_solved(steps),
        "now": scene.now,
        "minutes": (scene.now - row.started_at) // clock.MINUTE,
        "late": is_over_time(found, row.started_at, scene.now),
        "stored": runs.stored,
        "action_words": action_words,
        "names": PROCEDURES,
    }


def _report(found: Procedure, row: AnyRow, entries: Any) -> Response:
    """The run as it was: steps, who, when, evidence, and what the audit trail knows of it."""
    with reading() as c:
        trail, whence = runs.audited(c, found, row, clock.now()), origin(c, row.origin)
    steps = report_steps(found, entries)
    data = {"data": {**run_data(row), "steps": steps}}
    return web.answer(
        data, "runbook/procedures/report.html", procedure=found, run=row, steps=steps,
        nav_active=NAV, trail=trail, action_words=action_words, deeds=DEEDS, labels=LABELS,
        took=row.ended_at - row.started_at, origin=whence,
        late=is_over_time(found, row.started_at, row.ended_at),
    )  # fmt: skip


def named(key: str) -> Procedure:
    """A procedure by its key; NotFound."""
    if key not in PROCEDURES:
        raise NotFound("Procedimento não encontrado")
    return PROCEDURES[key]


def to_run(run_id: int, step: str = "", stay: bool = False) -> str:
    """The run's page, at a step; `stay` keeps that step open whichever is current."""
    url: str = url_for("runbook.run", run_id=run_id, passo=step if stay else None)
    return f"{url}#passo-{step}" if step else url


def told(
    text: str, run_id: int, *, ok: bool = True, step: str = "", stay: bool = False, **data: Any
) -> Response:
    """Back to the run, with a word about what was done."""
    to = to_run(run_id, step, stay)
    if web.wants_html():
        flash(text or _("Feito."), "ok" if ok else "warn")
        return web.done({}, to)
    return web.done({"message": text, **data, "data": whole_data(run_id)}, to)


def whole_data(run_id: int) -> dict[str, Any]:
    """A run with its steps as JSON: as they stand now, or as they were told once it is over."""
    with reading() as c:
        row, entries = runs.find_run(c, run_id), runs.entries(c, run_id)
    found = named(row.key)
    if row.ended_at is not None:
        return {**run_data(row), "steps": report_steps(found, entries)}
    steps = stand(found, scene_of(row, entries), said(entries))
    return {**run_data(row), "steps": [step_data(one) for one in steps]}
