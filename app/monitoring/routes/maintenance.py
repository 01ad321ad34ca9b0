"""Doors of the maintenance windows: plan one, end one."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, current_app, flash, request, url_for
from flask_babel import gettext as _
from pydantic import BaseModel, Field

from app import clock, web
from app.access.guards import by, require
from app.db import reading
from app.errors import Invalid
from app.monitoring.actions import maintenance as actions
from app.monitoring.queries.maintenance import past_windows, windows
from app.monitoring.rules.moments import local_moment, local_text
from app.paging import AnyRow
from app.systems.rules.defaults import KNOWN

blueprint = Blueprint("maintenance", __name__, url_prefix="/alerts/maintenance")
MANAGE, WRITE = "maintenance.manage", "alerts:write"
USUAL = 2 * clock.HOUR


class WindowWanted(BaseModel):
    """A window; moments without an offset are meant in the operation's zone."""

    system: str = Field("", max_length=40)
    starts_at: str = Field("", max_length=40)
    ends_at: str = Field("", max_length=40)
    why: str = Field("", max_length=500)


@blueprint.get("")
@require("overview.read", scope="overview:read")
def index() -> Response:
    """Windows that run, are to come and were; and the form for a new one."""
    now, zone = clock.now(), current_app.extensions["settings"].zone
    wanted = WindowWanted(
        system=request.args.get("system", "")[:40],
        starts_at=local_text(now, zone),
        ends_at=local_text(now + USUAL, zone),
        why="",
    )
    return _page(wanted, {})


def _page(wanted: WindowWanted, errors: dict[str, str]) -> Response:
    now = clock.now()
    with reading() as c:
        planned, past = windows(c, now), past_windows(c, now)
    return web.answer(
        {"data": [window_data(row) for row in planned]},
        page="alerts/maintenance.html",
        status=422 if errors else 200,
        planned=planned,
        past=past,
        wanted=wanted,
        errors=errors,
        systems=[(name, known.label) for name, known in KNOWN.items()],
        labels={name: known.label for name, known in KNOWN.items()},
        now=now,
    )


@blueprint.post("")
@require(MANAGE, scope=WRITE)
def plan() -> Response:
    """Plan a window."""
    wanted, now = web.body(WindowWanted), clock.now()
    zone = current_app.extensions["settings"].zone
    starts_at = local_moment(wanted.starts_at, zone)
    ends_at = local_moment(wanted.ends_at, zone)
    try:
        if starts_at is None or ends_at is None:
            empty = {"starts_at": starts_at, "ends_at": ends_at}
            raise Invalid(details={k: ["is not a moment"] for k, at in empty.items() if at is None})
        made = actions.plan_maintenance(
            wanted.system, starts_at, ends_at, by=by(), why=wanted.why, now=now
        )
    except Invalid as refused:
        if not web.wants_html():
            raise
        return _page(wanted, {name: problem(name) for name in refused.details})
    if web.wants_html():
        flash(_("Manutenção marcada: o sistema não gera alertas nesse período."), "ok")
    return web.done({"message": "Maintenance planned", "id": made}, url_for("maintenance.index"))


def problem(name: str) -> str:
    """What is wrong with a field, for people."""
    words = {
        "system": _("Escolha o sistema"),
        "starts_at": _("Informe o início (até 90 dias à frente)"),
        "ends_at": _("O fim vem depois do início e de agora, no máximo 7 dias depois do início"),
        "why": _("Escreva o motivo"),
    }
    return str(words.get(name, _("Valor inválido")))


@blueprint.post("/<int(max=9223372036854775807):window_id>/end")
@require(MANAGE, scope=WRITE)
def end(window_id: int) -> Response:
    """End a window now."""
    system: str = actions.end_maintenance(window_id, by=by(), now=clock.now())
    label = str(KNOWN[system].label if system in KNOWN else system)
    if web.wants_html():
        flash(_("Manutenção de %(system)s encerrada: os alertas voltaram.", system=label), "ok")
    return web.done({"message": "Maintenance ended"}, url_for("maintenance.index"))


def window_data(row: AnyRow) -> dict[str, Any]:
    """A window as JSON."""
    return {
        "id": row.id, "system": row.system, "starts_at": clock.iso(row.starts_at),
        "ends_at": clock.iso(row.ends_at), "reason": row.reason, "created_by": row.created_by,
    }  # fmt: skip
