"""Doors of the channels: where alerts are told, and whether it arrived."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, current_app, flash, url_for
from flask_babel import gettext as _
from pydantic import BaseModel, Field

from app import clock, web
from app.access.guards import by, require
from app.db import reading
from app.errors import Invalid
from app.monitoring.actions import channels as actions
from app.monitoring.queries.channels import channels, notices
from app.monitoring.rules.notices import KINDS, WORDS
from app.paging import AnyRow

blueprint = Blueprint("channels", __name__, url_prefix="/alerts/channels")
MANAGE, WRITE = "sla.manage", "sla:write"


class ChannelWanted(BaseModel):
    """A channel to be."""

    kind: str = Field("email", max_length=12)
    target: str = Field("", max_length=2000)
    level: str = Field("critical", max_length=12)


@blueprint.get("")
@require("overview.read", scope="overview:read")
def index() -> Response:
    """Channels and the last notices."""
    return _page(ChannelWanted.model_validate({}), {})


def _page(wanted: ChannelWanted, errors: dict[str, str]) -> Response:
    with reading() as c:
        rows, told = channels(c), notices(c)
    return web.answer(
        {"data": [channel_data(row) for row in rows]},
        page="alerts/channels.html",
        status=422 if errors else 200,
        channels=rows,
        notices=told,
        wanted=wanted,
        errors=errors,
        kinds=KINDS,
        words=WORDS,
        has_mail=bool(current_app.extensions["settings"].smtp_host),
    )


@blueprint.post("")
@require(MANAGE, scope=WRITE)
def add() -> Response:
    """Add a channel."""
    wanted = web.body(ChannelWanted)
    try:
        made = actions.add_channel(
            wanted.kind, wanted.target, wanted.level, by=by(), now=clock.now()
        )
    except Invalid:
        if not web.wants_html():
            raise
        text = _("Escreva um e-mail, ou um endereço https:// que o hub possa chamar")
        return _page(wanted, {"target": text})
    if web.wants_html():
        flash(_("Canal acrescentado: o próximo alerta já é avisado por ele."), "ok")
    return web.done({"message": "Channel added", "id": made}, url_for("channels.index"))


@blueprint.post("/<int(max=9223372036854775807):channel_id>/remove")
@require(MANAGE, scope=WRITE)
def remove(channel_id: int) -> Response:
    """Remove a channel."""
    actions.remove_channel(channel_id, by=by(), now=clock.now())
    if web.wants_html():
        flash(_("Canal removido: não recebe mais avisos."), "ok")
    return web.done({"message": "Channel removed"}, url_for("channels.index"))


def channel_data(row: AnyRow) -> dict[str, Any]:
    """A channel as JSON."""
    return {"id": row.id, "kind": row.kind, "target": row.target, "level": row.level}
