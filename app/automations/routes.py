"""The page of the automations and its JSON: what each does, its switch, one step again."""

from __future__ import annotations

from flask import Blueprint, Response, flash, request, url_for
from flask_babel import gettext as _
from pydantic import BaseModel, Field

from app import clock
from app.access.guards import by, require
from app.automations.actions.retry_step import retry_step
from app.automations.actions.switch import switch
from app.automations.queries.board import board, card_json
from app.automations.rules.flows import BY_NAME
from app.db import reading
from app.errors import NotFound
from app.web import answer, body, done, live, wants_html

blueprint = Blueprint("automations", __name__, url_prefix="/automations")
STEP = "/events/<int(max=9223372036854775807):event_id>/steps/<name>/retry"


class Wanted(BaseModel):
    """Body of a command; the console also says that the person was asked."""

    why: str = Field("", max_length=500)
    confirmed: str = ""


@blueprint.get("")
@require("events.read", scope="automations:read")
def index() -> Response:
    """Each automation with its steps, whether it is on, and its last runs."""
    with reading() as c:
        cards = board(c)
    data = {"data": [card_json(card) for card in cards]}
    return live(data, "automations/index.html", "automations/_live.html", cards, cards=cards)


@blueprint.post("/<name>/<any(on, off):state>")
@require("automations.manage", scope="automations:write")
def set_switch(name: str, state: str) -> Response:
    """Switch an automation on or off, with the reason."""
    if name not in BY_NAME:
        raise NotFound("Automation not found")
    wanted, on = body(Wanted), state == "on"
    if wants_html() and not (wanted.confirmed and wanted.why.strip()):
        return _ask(name, on, wanted)
    switch(name, on, by=by(), why=wanted.why.strip(), now=clock.now())
    if wants_html():
        told = _("Automação ligada.") if on else _("Automação desligada.")
        flash(f"{BY_NAME[name].label}: {told}", "ok")
    return done({"name": name, "active": on}, url_for("automations.index"))


@blueprint.post(STEP)
@require("dlq.retry", scope="automations:write")
def again(event_id: int, name: str) -> Response:
    """Retry one failed step alone; what is done is not done again."""
    wanted = body(Wanted)
    retry_step(event_id, name, by=by(), why=wanted.why.strip() or None, now=clock.now())
    if wants_html():
        flash(_("O passo sai de novo; os outros ficam como estão."), "ok")
    to = url_for("event_page.show", event_id=event_id)
    return done({"message": "Step queued for retry", "event_id": event_id, "step": name}, to)


def _ask(name: str, on: bool, wanted: Wanted) -> Response:
    """The question as a page: without JavaScript, or when the reason is missing."""
    label, missing = BY_NAME[name].label, _("Escreva o motivo") if wanted.confirmed else ""
    return answer(
        {},
        page="confirm.html",
        status=422 if missing else 200,
        title=_("Ligar: %(label)s?", label=label) if on else _("Desligar: %(label)s?", label=label),
        effect=effect_of(on),
        verb=_("Ligar") if on else _("Desligar"),
        action=request.path,
        fields={},
        cancel_url=url_for("automations.index"),
        danger=not on,
        reason={"label": _("Motivo"), "value": wanted.why, "error": missing},
    )


def effect_of(on: bool) -> str:
    """What the switch does, for the question."""
    if on:
        return str(_("Vale para os eventos que chegarem a partir de agora."))
    return str(_("Eventos novos deixam de ter estes passos. O que já está em andamento termina."))
