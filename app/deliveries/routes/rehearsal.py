"""Dry run of a dead letter: the request that would go out, and the ways to change it first."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, url_for
from flask_babel import gettext as _
from pydantic import BaseModel, Field

from app import clock, web
from app.access.guards import by, require, sees_whole
from app.access.rules.masking import shown
from app.db import reading
from app.deliveries.actions import correct as actions
from app.deliveries.queries.dead_letters import find_dead_letter
from app.deliveries.queries.rehearsal import Rehearsal, rehearse
from app.errors import Invalid

blueprint = Blueprint("rehearsal", __name__, url_prefix="/dlq")
ONE = "/<int(max=9223372036854775807):letter_id>"


class Correction(BaseModel):
    """The body to send instead, and why."""

    payload: str = Field("", max_length=1_000_000)
    why: str = Field("", max_length=500)


@blueprint.get(f"{ONE}/ensaio")
@require("dlq.read", scope="dlq:read")
def show(letter_id: int) -> Response:
    """Nothing is sent: the exact request, and how it differs from the one that failed."""
    return _page(letter_id, {}, None)


@blueprint.post(f"{ONE}/corrigir")
@require("dlq.edit", scope="dlq:write")
def correct(letter_id: int) -> Response:
    """Send the body typed instead; the original is kept."""
    wanted = web.body(Correction)
    errors = {} if wanted.why.strip() else {"why": _("Escreva o motivo")}
    try:
        if not errors:
            actions.correct(letter_id, wanted.payload, by=by(), why=wanted.why, now=clock.now())
    except Invalid:
        errors["payload"] = _("O conteúdo precisa ser um objeto JSON válido")
    return _page(letter_id, errors, wanted) if errors else _sent(letter_id)


@blueprint.post(f"{ONE}/remapear")
@require("dlq.retry", scope="dlq:write")
def remap(letter_id: int) -> Response:
    """Send what today's mapping makes of the event; the original is kept."""
    wanted = web.body(Correction)
    if not wanted.why.strip():
        return _page(letter_id, {"why-remap": _("Escreva o motivo")}, wanted)
    actions.remap(letter_id, by=by(), why=wanted.why, now=clock.now())
    return _sent(letter_id)


def _sent(letter_id: int) -> Response:
    if web.wants_html():
        flash(_("A mensagem sai agora com o conteúdo novo; o original ficou guardado."), "ok")
    return web.done(
        {"message": "Queued for retry"}, url_for("dead_letters.show", letter_id=letter_id)
    )


def _page(letter_id: int, errors: dict[str, str], wanted: Correction | None) -> Response:
    with reading() as c:
        row, found = find_dead_letter(c, letter_id), rehearse(c, letter_id, clock.now())
    whole = sees_whole(f"dead_letter:{letter_id}")
    lines = found.lines(whole)
    # Who does not see it whole cannot correct it: the masks would be sent.
    draft = wanted.payload if wanted and wanted.payload else shown(found.failed, whole)
    return web.answer(
        {"data": rehearsal_data(found, whole, lines), **({"error": errors} if errors else {})},
        "deliveries/rehearsal.html", status=422 if errors else 200, row=row, found=found,
        errors=errors, whole=whole, draft=draft, why=wanted.why if wanted else "",
        body=shown(found.body, whole), lines=lines, shown=shown,
        today=shown(found.today, whole),
    )  # fmt: skip


def rehearsal_data(found: Rehearsal, whole: bool, lines: list[tuple[str, str]]) -> dict[str, Any]:
    """The rehearsal as JSON."""
    return {
        "url": found.url,
        "headers": found.headers,
        "body": shown(found.body, whole),
        "body_today": None if found.problem else shown(found.today, whole),
        "mapping_version_today": found.version,
        "mapping_problem": found.problem,
        "obstacle": found.obstacle,
        "diff": [f"{sign} {text}" for sign, text in lines if sign != " "],
    }
