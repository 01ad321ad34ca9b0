"""The console's page of the WhatsApp connection: its state, the way back, what waits outside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, flash, request, url_for
from flask_babel import gettext as _
from pydantic import BaseModel, Field

from app import clock
from app.access.guards import by, require
from app.db import reading
from app.errors import NotFound, Unavailable
from app.messages.actions import connection
from app.messages.queries.connection import State, state
from app.messages.queries.provider import Held, held
from app.messages.queries.sent import counts
from app.messages.zapi import ZApi, zapi
from app.web import answer, arguments, done, live, wants_html

blueprint = Blueprint("whatsapp", __name__, url_prefix="/whatsapp-connection")
ABILITY, SCOPE = "whatsapp.manage", "whatsapp:manage"
# A code lives 20 s; after so many that nobody read a person is asked again.
TURNS, LIVES_MS = 3, 20 * clock.SECOND
ACTS: dict[str, Callable[[ZApi], bool]] = {
    "restore-session": ZApi.restore_session,
    "restart": ZApi.restart,
    "disconnect": ZApi.disconnect,
    "purge": ZApi.purge,
}


class Turn(BaseModel):
    """How many codes have been shown in a row."""

    turn: int = Field(1, ge=1, le=TURNS)


@blueprint.get("")
@require("overview.read", "overview:read")
def index() -> Response:
    """The state as last known, and the messages of the last day by their ticks."""
    now = clock.now()
    with reading() as c:
        known, ticks = state(c), counts(c, now - clock.DAY)
    page, part = "messages/whatsapp.html", "messages/_whatsapp.html"
    seen = (known, ticks)
    return live(_data(known, ticks), page, part, seen, known=known, ticks=ticks, now=now)


@blueprint.get("/qr")
@require(ABILITY, SCOPE)
def qr() -> Response:
    """A code to read with the phone; nothing to read while connected."""
    turn = arguments(Turn).turn
    image = zapi().qr_code()
    page, part = "messages/qr.html", "messages/_qr.html"
    until = clock.now() + LIVES_MS
    return answer({"value": image}, page, part, image=image, turn=turn, turns=TURNS, until=until)


@blueprint.get("/queue")
@require(ABILITY, SCOPE)
def queue() -> Response:
    """What waits at the provider, to be kept or dropped; a provider that is away is said."""
    try:
        found, problem = held(), ""
    except Unavailable as away:
        if not wants_html():
            raise
        found, problem = Held((), False), away.message
    data = {"data": [one.as_data() for one in found.messages], "more": found.more}
    return answer(data, "messages/queue.html", held=found, problem=problem)


@blueprint.post("/<act>")
@require(ABILITY, SCOPE)
def do(act: str) -> Response:
    """Restore the session, restart, log out, or purge what waits outside. NotFound."""
    if act not in ACTS:
        raise NotFound("No such action")
    if act in ("disconnect", "purge") and wants_html() and not request.form.get("confirmed"):
        return _ask(act)
    connection.act(act, ACTS[act], by=by())
    if wants_html():
        flash(_("Pedido enviado ao WhatsApp."), "ok")
    return done({"message": "done"}, url_for("whatsapp.index"))


def _ask(act: str) -> Response:
    """The question as a page, without JavaScript."""
    texts = {
        "purge": (
            _("Descartar as mensagens que esperam?"),
            _("Descartar"),
            _("As mensagens que a Z-API ainda guarda não serão enviadas ao reconectar."),
        ),
        "disconnect": (
            _("Desconectar o aparelho?"),
            _("Desconectar"),
            _("Será preciso ler um novo código QR para voltar a enviar e receber."),
        ),
    }
    title, verb, effect = texts[act]
    return answer(
        {}, page="confirm.html", title=title, verb=verb, effect=effect, fields={},
        action=url_for("whatsapp.do", act=act), cancel_url=url_for("whatsapp.index"),
    )  # fmt: skip


def _data(known: State | None, ticks: dict[str, int]) -> dict[str, Any]:
    """The page as JSON."""
    return {
        "connected": known.connected if known else None,
        "since": clock.iso(known.since) if known and known.connected is not None else None,
        "checked_at": clock.iso(known.checked_at) if known else None,
        "account_due_at": clock.iso(known.due_at) if known else None,
        "messages": ticks,
    }
