"""What a person does with routes and mappings in the console."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, Response, flash, url_for
from flask_babel import gettext as _
from pydantic import BaseModel, Field

from app import clock, web
from app.access.guards import by, require
from app.access.rules.masking import LONGEST_SHOWN, shown
from app.db import reading
from app.errors import HubError, Invalid
from app.mappings import actions, queries
from app.mappings.routes.pages import PAIR, pair_page, routes_page
from app.mappings.rules import apply, below, by_field, check
from app.payloads import dump_json, parse_json
from app.web.inputs import max_nesting

blueprint = Blueprint("mapping_acts", __name__)


class Switch(BaseModel):
    """One cell of the matrix: `lead.created crm on`."""

    cell: str = Field("", max_length=200)


class NewRoute(BaseModel):
    """The form of a route that is not in the matrix yet."""

    event_type: str = Field("", max_length=200)
    system: str = Field("", max_length=80)


class Draft(BaseModel):
    """The form of a mapping; `base` is the version that was being edited."""

    mapping: str = Field("", max_length=100_000)
    payload: str = Field("", max_length=1_000_000)
    note: str = Field("", max_length=500)
    base: str = Field("", max_length=40)


class Restore(BaseModel):
    """Which version comes back."""

    version: str = Field("", max_length=40)


@blueprint.post("/rotas")
@require("mappings.manage")
def switch() -> Response:
    """Switch one route on or off, from the next event on."""
    event_type, system, wanted = [*web.body(Switch).cell.split(" "), "", ""][:3]
    active = wanted == "on"
    actions.switch_route(event_type, system, active, by=by(), now=clock.now())
    names = {"type": event_type, "system": system}
    if web.wants_html():
        flash(
            _("%(type)s agora vai para %(system)s.", **names)
            if active
            else _("%(type)s não vai mais para %(system)s.", **names),
            "ok",
        )
    to = url_for("mapping_pages.routes", _anchor=f"route-{event_type}")
    return web.done({"event_type": event_type, "target_system": system, "active": active}, to)


@blueprint.post("/rotas/nova")
@require("mappings.manage")
def add_route() -> Response:
    """A route for a type that has none yet."""
    form = web.body(NewRoute)
    event_type = form.event_type.strip()
    try:
        actions.switch_route(event_type, form.system, True, by=by(), now=clock.now())
    except Invalid as refused:
        errors = {
            "system" if name == "target_system" else name: f"{_('O valor')} {found[0]}"
            for name, found in refused.details.items()
        }
        return routes_page(errors, 422, event_type=event_type, system=form.system)
    if web.wants_html():
        flash(_("Rota criada: %(type)s vai para %(system)s.", type=event_type, system=form.system))
    to = url_for("mapping_pages.routes", _anchor=f"route-{event_type}")
    return web.done({"event_type": event_type, "target_system": form.system}, to)


@blueprint.post(PAIR)
@require("mappings.manage")
def save(event_type: str, system: str) -> Response:
    """Save what was typed as the next version."""
    form = web.body(Draft)
    kept: dict[str, Any] = {"draft": form.mapping, "note": form.note}
    document, errors = _read(form.mapping, "mapping")
    if not errors:
        errors = _stale(event_type, system, form.base)
    if errors:
        return pair_page(event_type, system, 422, errors=errors, **kept)
    try:
        saved = actions.save_mapping(
            event_type, system, document, by=by(), now=clock.now(), note=form.note.strip()
        )
    except Invalid as refused:
        return pair_page(event_type, system, 422, errors=_lines(refused.details), **kept)
    return _told(_("Versão %(n)s salva e em uso.", n=saved.version), event_type, system)


@blueprint.post(f"{PAIR}/testar")
@require("mappings.read")
def test(event_type: str, system: str) -> Response:
    """What the typed payload becomes under the typed mapping; nothing is stored or sent."""
    form = web.body(Draft)
    document, errors = _read(form.mapping, "mapping")
    payload, wrong = _read(form.payload, "payload")
    errors |= wrong
    if not errors:
        errors = _lines(by_field(below("mapping", check(document))))
    kept: dict[str, Any] = {"draft": form.mapping, "payload": form.payload, "note": form.note}
    if errors:
        return pair_page(event_type, system, 422, errors=errors, **kept)
    try:
        made = dump_json(apply(document, payload))
    except Invalid as refused:
        return pair_page(event_type, system, 422, errors=_lines(refused.details), **kept)
    result = shown(made, True) + ("\n…" if len(made) > LONGEST_SHOWN else "")
    return pair_page(event_type, system, result=result, **kept)


@blueprint.post(f"{PAIR}/restaurar")
@require("mappings.manage")
def restore(event_type: str, system: str) -> Response:
    """Bring an old version back as a new one; nothing is lost."""
    with reading() as c:
        old = queries.version(c, event_type, system, web.body(Restore).version)
    note = _("Volta à versão %(n)s", n=old.version)
    saved = actions.save_mapping(
        event_type, system, old.document, by=by(), now=clock.now(), note=note
    )
    text = _("Versão %(old)s de volta, como %(new)s.", old=old.version, new=saved.version)
    return _told(text, event_type, system)


def _read(text: str, field: str) -> tuple[Any, dict[str, str]]:
    """The JSON that was typed, or the error of its field."""
    try:
        value = parse_json(text.encode(), max_nesting())
        dump_json(value)
        return value, {}
    except HubError:
        problem = _("Isto não é um JSON válido.")
    try:
        json.loads(text)
    except (ValueError, RecursionError) as found:
        line, column = getattr(found, "lineno", 0), getattr(found, "colno", 0)
        if line:
            problem = _("Isto não é um JSON válido (linha %(l)s, coluna %(c)s).", l=line, c=column)
    return None, {field: problem}


def _stale(event_type: str, system: str, base: str) -> dict[str, str]:
    """An error where somebody else has saved since the form was opened."""
    with reading() as c:
        newest = queries.newest(c, event_type, system)
    present = str(newest.version) if newest else ""
    if present == base:
        return {}
    text = _("Alguém salvou a versão %(n)s enquanto você editava. Compare-a e salve de novo.",
             n=present)  # fmt: skip
    return {"mapping": text}


def _lines(details: dict[str, list[str]]) -> dict[str, str]:
    """All problems of a document, each with its field, beside the one box it is typed in."""
    lines = [
        f"{name.removeprefix('mapping.')} {' '.join(found)}" for name, found in details.items()
    ]
    return {"mapping": "; ".join(lines)} if lines else {}


def _told(text: str, event_type: str, system: str) -> Response:
    if web.wants_html():
        flash(text, "ok")
    to = url_for("mapping_pages.show", event_type=event_type, system=system)
    return web.done({"message": text}, to)
