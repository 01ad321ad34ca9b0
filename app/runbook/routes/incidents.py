"""Doors of incidents: the list, the form of a new one, one with its timeline, its report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response, flash, url_for
from flask_babel import gettext as _
from pydantic import BaseModel, Field

from app import clock, web
from app.access.guards import by, require
from app.db import reading
from app.errors import Invalid
from app.monitoring.queries.alerts import find_alert
from app.paging import AnyRow
from app.runbook.actions import incidents as actions
from app.runbook.queries import incidents as queries
from app.runbook.queries.incidents import IncidentFilter
from app.runbook.queries.origins import origin
from app.runbook.queries.procedures.runs import of_incident
from app.runbook.routes.door import blueprint
from app.runbook.rules.escalation import NAMES, Rules, Step
from app.runbook.rules.incidents import (
    KINDS,
    LONGEST_TITLE,
    MEDIUM,
    OUTAGES,
    SEVERITIES,
    SEVERITY_OF,
)
from app.runbook.rules.procedures import PROCEDURES

ONE = "/incidentes/<int(max=9223372036854775807):incident_id>"
READ, SCOPE = "overview.read", "incidents:read"
MANAGE, WRITE = "incidents.manage", "incidents:write"
ORIGIN_OF = {"checklist": "item", "run": "run"}


class NewForm(BaseModel):
    """A new incident; `alert` (its id) or `source` (`checklist:3:2`, `run:7`) say whence."""

    title: str = Field("", max_length=1_000)
    severity: str = Field("", max_length=20)
    details: str = Field("", max_length=20_000)
    unavailable: str = ""
    alert: str = Field("", pattern=r"^\d{0,18}$")
    source: str = Field("", max_length=80, pattern=r"^[a-z0-9:_-]*$")


@blueprint.get("/incidentes")
@require(READ, scope=SCOPE, network=True)
def incidents() -> Response:
    """Incidents, the open ones first."""
    wanted = web.arguments(IncidentFilter)
    with reading() as c:
        rows, after = queries.list_incidents(c, wanted)
        coming = queries.coming_steps(c, rows)
        total = queries.count(c, wanted)
        opened = queries.count(c, IncidentFilter.model_validate({}))
    context: dict[str, Any] = {
        "rows": rows, "coming": coming, "total": total, "opened": opened, "filter": wanted,
        "next_url": _list_url(wanted, after=after) if after else None,
        "first_url": _list_url(wanted, after=None) if wanted.after else None,
        "live_url": _list_url(wanted), "words": words(),
    }  # fmt: skip
    data = {
        "data": [incident_data(row, coming.get(row.id)) for row in rows],
        "meta": {"total": total, "next": context["next_url"]},
    }
    seen = (rows, sorted(coming.items()), total, opened, wanted)
    page, part = "runbook/incidents/index.html", "runbook/incidents/_list.html"
    return web.live(data, page, part, seen, **context)


def _list_url(wanted: IncidentFilter, **changes: str | None) -> str:
    query = wanted.query_with(**changes)
    return f"{url_for('runbook.incidents')}{'?' if query else ''}{query}"


@blueprint.get("/incidentes/novo")
@require(MANAGE)
def new_incident() -> Response:
    """The form, filled from where it was asked for."""
    form = web.arguments(NewForm)
    if form.alert and not form.title:
        alert = _alert(form.alert)
        outage = "1" if alert.type in OUTAGES else ""
        form = form.model_copy(
            update={
                "title": alert.message[:LONGEST_TITLE],
                "severity": form.severity or SEVERITY_OF.get(alert.level, MEDIUM),
                "unavailable": outage,
            }
        )
    return _form(form, {})


@blueprint.post("/incidentes")
@require(MANAGE, scope=WRITE)
def open_incident() -> Response:
    """Open it; a cause that has an open incident leads to that one."""
    form = web.body(NewForm)
    try:
        incident_id, fresh = actions.open_incident(_wanted(form), by=by(), now=clock.now())
    except Invalid as refused:
        if not web.wants_html():
            raise
        return _form(form, {name: texts[0] for name, texts in refused.details.items()}, 422)
    if fresh:
        flash(_("Incidente %(n)s aberto.", n=incident_id), "ok")
    else:
        flash(_("Já havia um incidente aberto para esta causa: é este."), "info")
    with reading() as c:
        data = {"data": incident_data(queries.find(c, incident_id), None)}
    to = url_for("runbook.incident", incident_id=incident_id)
    return web.done(data, to, status=201 if fresh else 200)


def _wanted(form: NewForm) -> actions.New:
    """The incident that the form asks for."""
    alert = _alert(form.alert) if form.alert else None
    title = form.title.strip() or (alert.message[:LONGEST_TITLE] if alert else "")
    severity = form.severity or (SEVERITY_OF.get(alert.level, MEDIUM) if alert else "")
    since = clock.now() if form.unavailable else None
    details = form.details.strip()
    if alert is None:
        origin = ORIGIN_OF.get(form.source.partition(":")[0], "")
        ref = form.source if origin else ""
        return actions.New(title, severity, details, origin, ref, since=since)
    if since is not None and alert.type in OUTAGES:
        since = alert.opened_at
    key = f"{alert.type}:{alert.subject}"
    return actions.New(title, severity, details, "alert", str(alert.id), key, alert.subject, since)


def _alert(alert_id: str) -> AnyRow:
    with reading() as c:
        return find_alert(c, int(alert_id))


def _form(form: NewForm, errors: dict[str, str], status: int = 200) -> Response:
    return web.answer(
        {},
        page="runbook/incidents/new.html",
        status=status,
        draft=form,
        errors=errors,
        severities=SEVERITIES,
    )


@blueprint.get(ONE)
@require(READ, scope=SCOPE, network=True)
def incident(incident_id: int) -> Response:
    """One incident: where it stands, what may be done, its timeline."""
    context = _whole(incident_id)
    row, step = context["row"], context["step"]
    data = {"data": incident_data(row, step) | {"timeline": _timeline(context["entries"])}}
    page, part = "runbook/incidents/show.html", "runbook/incidents/_show.html"
    return web.live(data, page, part, (row, step, context["entries"], context["runs"]), **context)


@blueprint.get(f"{ONE}/relatorio")
@require(READ)
def incident_report(incident_id: int) -> Response:
    """The incident on paper, the first thing first."""
    context = _whole(incident_id, newest_first=False)
    page = "runbook/incidents/report.html"
    return web.answer({"data": incident_data(context["row"], None)}, page=page, **context)


def _whole(incident_id: int, newest_first: bool = True) -> dict[str, Any]:
    with reading() as c:
        row = queries.find(c, incident_id)
        found = queries.entries(c, incident_id, newest_first)
        step = queries.coming_step(row, queries.steps_done(c, incident_id))
        runs = of_incident(c, incident_id)
        ref = f"alert:{row.origin_ref}" if row.origin == "alert" else row.origin_ref
        opened_from = origin(c, ref)
    rules = Rules.read(row.rules_json)
    return {
        "row": row, "entries": found, "step": step, "rules": rules, "words": words(),
        "runs": runs, "procedures": PROCEDURES, "origin": opened_from,
    }  # fmt: skip


def words() -> dict[str, Any]:
    """What templates of incidents say."""
    return {"levels": NAMES, "severities": SEVERITIES, "kinds": KINDS}


def incident_data(row: AnyRow, step: Step | None) -> dict[str, Any]:
    """One incident as JSON."""
    names = ("id", "title", "details", "severity", "state", "level", "origin", "system",
             "opened_by", "owner_name", "resolved_by", "resolution")  # fmt: skip
    times = ("opened_at", "acknowledged_at", "unavailable_since", "resolved_at")
    coming = {"to_level": step.to_level, "at": clock.iso(step.at)} if step else None
    return {
        **{name: getattr(row, name) for name in names},
        **{name: clock.iso(getattr(row, name)) for name in times},
        "next_escalation": coming,
    }


def _timeline(rows: Sequence[AnyRow]) -> list[dict[str, Any]]:
    return [
        {"at": clock.iso(row.at), "kind": row.kind, "text": row.text, "by": row.by_name}
        for row in rows
    ]
