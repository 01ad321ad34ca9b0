"""What the checklists ask: everybody reads it, management changes it."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, request, url_for
from flask_babel import gettext as _
from pydantic import BaseModel, Field

from app import clock, web
from app.access.guards import by, require
from app.db import reading
from app.errors import Conflict, Invalid
from app.numbers import whole
from app.runbook.actions.templates import save_template
from app.runbook.queries import checklists as queries
from app.runbook.routes.door import blueprint
from app.runbook.rules import shifts
from app.runbook.rules.checks import CHECKS
from app.runbook.rules.templates import MOST_ITEMS, Line

SHIFT = f"<any({', '.join(shifts.TIMES)}):shift>"
SPARE = 2
# Digits of a line's place.
LONGEST_PLACE = 3


class TemplateForm(BaseModel):
    """What goes with the lines: the reason, and the version that was looked at."""

    why: str = Field("", max_length=500)
    version: int


@blueprint.get(f"/hoje/modelo/{SHIFT}")
@require("overview.read")
def template(shift: str) -> Response:
    """The template in force, as a form, and its versions."""
    with reading() as c:
        found = queries.template(c, shift)
    return _page(shift, found.lines, found.version, "", {})


@blueprint.post(f"/hoje/modelo/{SHIFT}")
@require("checklists.manage")
def save(shift: str) -> Response:
    """Store a new version; the next checklist asks it."""
    form, lines = web.body(TemplateForm), _lines()
    try:
        version = save_template(shift, lines, form.why, form.version, by=by(), now=clock.now())
    except Invalid as problem:
        errors = {field: texts[0] for field, texts in problem.details.items()}
        return _page(shift, lines, form.version, form.why, errors, 422)
    except Conflict as problem:
        return _page(shift, lines, form.version, form.why, {"why": problem.message}, 409)
    text = _("Versão %(n)s guardada. O próximo checklist já sai com ela.", n=version)
    flash(text, "ok")
    return web.done({"version": version}, url_for("runbook.template", shift=shift))


def _lines() -> list[Line]:
    """The lines of the form in the order of their numbers; those left empty are taken out."""
    found: list[tuple[int, Line]] = []
    for n in range(1, MOST_ITEMS + SPARE + 1):
        title, effect = (request.form.get(f"{f}_{n}", "").strip() for f in ("title", "effect"))
        check = request.form.get(f"check_{n}", "")
        if title or effect:
            found.append((_place(n), Line(title, check, effect)))
    return [line for _place_of, line in sorted(found, key=lambda pair: pair[0])]


def _place(n: int) -> int:
    """Where the person wants the line; the place it has when that is no number."""
    place = whole(request.form.get(f"place_{n}", ""), LONGEST_PLACE)
    return n if place is None else place


def _page(
    shift: str, lines: Any, version: int, why: str, errors: dict[str, str], status: int = 200
) -> Response:
    with reading() as c:
        versions = queries.template_versions(c, shift)
    spare = [Line("", "manual")] * min(SPARE, MOST_ITEMS - len(lines))
    return web.answer(
        {"data": {"shift": shift, "version": version}},
        "runbook/template.html",
        status=status,
        shift=shift,
        labels=shifts.LABELS,
        times=shifts.TIMES,
        lines=[*lines, *spare],
        version=version,
        why=why,
        errors=errors,
        versions=versions,
        checks=[(key, check.label) for key, check in CHECKS.items()],
    )
