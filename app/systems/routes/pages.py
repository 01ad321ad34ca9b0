"""The console's pages of the systems: all of them, and one with its endpoints."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, current_app

from app import clock, web
from app.access.guards import require
from app.config import Settings
from app.db import reading
from app.systems.queries.breakers import board
from app.systems.queries.endpoints import EndpointFilter, list_endpoints
from app.systems.queries.systems import find_system, list_systems
from app.systems.routes.api import endpoint_data, system_data
from app.systems.routes.breakers import limits
from app.systems.rules.defaults import HIGH, MEDIUM

blueprint = Blueprint("systems", __name__, url_prefix="/sistemas")
MOST_ENDPOINTS = 100


@blueprint.get("")
@require("systems.read", scope="systems:read")
def index() -> Response:
    """The nine systems, the most important first."""
    with reading() as c:
        rows = sorted(list_systems(c), key=_rank)
        cards = {card.name: card for card in board(c, _limits())}
        active = _active(c)
    context = {"rows": rows, "cards": cards, "active": active, "default_limit": _default_limit()}
    data = {"data": [system_data(row) for row in rows]}
    page, part = "systems/index.html", "systems/_index.html"
    return web.live(data, page, part, context, **context)


def _rank(row: Any) -> tuple[int, str]:
    return ({HIGH: 0, MEDIUM: 1}.get(row.criticality, 2), row.label)


@blueprint.get("/<name>")
@require("systems.read", scope="systems:read")
def show(name: str) -> Response:
    """One system: pause, limit, its endpoints."""
    return page_of(name)


def page_of(name: str, status: int = 200, **more: Any) -> Response:
    """The page of one system; `more` carries what a form could not take."""
    wanted = EndpointFilter(page=1, per_page=MOST_ENDPOINTS, system=name)
    with reading() as c:
        row, found = find_system(c, name), list_endpoints(c, wanted).rows
        cards = {card.name: card for card in board(c, _limits())}
    seen = {
        "row": row,
        "endpoints": found,
        "card": cards.get(name),
        "default_limit": _default_limit(),
    }
    if status != 200 and not web.wants_html():
        return web.answer({"error": "Validation failed", "details": more["errors"]}, status=status)
    data = {**system_data(row), "endpoints": [endpoint_data(each) for each in found]}
    context: dict[str, Any] = {"errors": {}, "draft": {}, "now": clock.now(), **seen, **more}
    page, part = "systems/show.html", "systems/_show.html"
    if status != 200:
        return web.answer({}, page=page, status=status, **context)
    return web.live({"data": data}, page, part, seen, **context)


def _active(c: Any) -> dict[str, tuple[int, int]]:
    """(active, all) endpoints of each system."""
    found: dict[str, tuple[int, int]] = {}
    for row in list_endpoints(c, EndpointFilter(page=1, per_page=MOST_ENDPOINTS)).rows:
        on, total = found.get(row.system, (0, 0))
        found[row.system] = (on + (row.status == "active"), total + 1)
    return found


def _limits() -> Any:
    return limits(current_app.extensions["settings"])


def _default_limit() -> int:
    settings: Settings = current_app.extensions["settings"]
    return settings.delivery_in_flight
