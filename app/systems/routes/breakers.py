"""Doors of the breakers, for programs and people: how they stand, and the reset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, current_app, flash, request, url_for
from flask_babel import gettext as _
from pydantic import BaseModel, Field

from app import clock
from app.access.guards import by, require
from app.config import Settings
from app.db import reading
from app.systems.actions.breakers import load, reset
from app.systems.queries.breakers import board, held
from app.systems.rules.breaker import Breaker, Limits
from app.systems.rules.defaults import KNOWN
from app.web import answer, body, done, live, wants_html
from app.web.problems import problem

blueprint = Blueprint("breakers", __name__, url_prefix="/circuit-breakers")


class ResetWanted(BaseModel):
    """Body of a reset; curl sends none, the console also that the person was asked."""

    why: str = Field("", max_length=500)
    confirmed: str = ""


@blueprint.get("")
@require("breakers.read", scope="breakers:read", network=True)
def index() -> Response:
    """All breakers; the page shows the open ones first, with what waits behind them."""
    settings: Settings = current_app.extensions["settings"]
    with reading() as c:
        cards = board(c, limits(settings))
    found = {card.name: card.breaker for card in cards}
    services = dict(sorted(breakers_data(found, settings).items()))
    data = {"timestamp": clock.iso(clock.now()), "services": services}
    page, part = "systems/breakers.html", "systems/_breakers.html"
    return live(data, page, part, cards, cards=cards, limits=limits(settings))


@blueprint.post("/<service>/reset")
@require("breakers.reset", scope="breakers:reset", network=True)
def close(service: str) -> Response:
    """Close a breaker by hand; 400 with the names there are for an unknown one."""
    with reading() as c:
        allowed = sorted(load(c))
    if service not in allowed:
        return problem(400, "Invalid service", allowed=allowed)
    wanted = body(ResetWanted)
    why = wanted.why.strip()
    if wants_html() and not (wanted.confirmed and why):
        return _ask(service, wanted)
    after = reset(service, why, by=by(), now=clock.now())
    if wants_html():
        flash(_("Disjuntor de %(system)s religado.", system=label(service)), "ok")
    status = breaker_data(after, current_app.extensions["settings"])
    data = {"message": f"Circuit breaker reset for {service}", "status": status}
    return done(data, url_for("breakers.index"))


def _ask(service: str, wanted: ResetWanted) -> Response:
    """The question as a page: without JavaScript, or when the reason is missing."""
    with reading() as c:
        waiting = held(c).get(service, 0)
    missing = _("Escreva o motivo") if wanted.confirmed else ""
    return answer(
        {},
        page="confirm.html",
        status=422 if missing else 200,
        title=_("Religar o disjuntor de %(system)s?", system=label(service)),
        effect=_(
            "Mensagens à espera: %(n)s. Elas voltam a sair agora, aos poucos; se o sistema ainda "
            "estiver com problema, o disjuntor abre de novo.",
            n=waiting,
        ),
        verb=_("Religar disjuntor"),
        action=request.path,
        fields={},
        cancel_url=url_for("breakers.index"),
        danger=False,
        reason={"label": _("Motivo"), "value": wanted.why, "error": missing},
    )


def limits(settings: Settings) -> Limits:
    """When breakers move, by the settings."""
    timeout = round(settings.breaker_timeout * clock.SECOND)
    return Limits(settings.breaker_failures, settings.breaker_successes, timeout)


def label(service: str) -> str:
    """A system's name for people."""
    return KNOWN[service].label if service in KNOWN else service


def breakers_data(found: Mapping[str, Breaker], settings: Settings) -> dict[str, Any]:
    """Breakers by system, in the contract's shape."""
    return {name: breaker_data(breaker, settings) for name, breaker in found.items()}


def breaker_data(breaker: Breaker, settings: Settings) -> dict[str, Any]:
    """One breaker in the contract's shape."""
    return {
        "service": breaker.system,
        "state": breaker.state,
        "failure_count": breaker.failures,
        "failure_threshold": settings.breaker_failures,
        "timeout_seconds": settings.breaker_timeout,
        "opened_at": clock.iso(breaker.opened_at),
    }
