"""The console's list of events; one event's page stands with its deliveries."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, current_app, redirect, url_for
from pydantic import Field
from sqlalchemy.engine import Connection

from app import clock, counters, web
from app.access.guards import require
from app.db import reading
from app.events import queries
from app.events.queries import EventPage, HeldFilter
from app.numbers import whole
from app.systems.queries.snapshot import systems

blueprint = Blueprint("events", __name__, url_prefix="/events")
PER_PAGE = 25
LATELY = 7 * clock.DAY
NOT_FILTERS = {"page", "per_page", "cursor"}


class PageFilter(HeldFilter):
    """The filter with the console's page size, and the number typed into the search field."""

    per_page: int = Field(PER_PAGE, ge=1, le=100)
    q: str = ""

    def given(self) -> dict[str, Any]:
        """What differs from the empty list, as it stands in the query string."""
        found = self.model_dump(by_alias=True, exclude_defaults=True, exclude={"q", "page", "upto"})
        return {key: value for key, value in found.items() if value}

    @property
    def active(self) -> bool:
        """Whether anything is filtered out."""
        return bool(self.given().keys() - NOT_FILTERS)


@blueprint.get("")
@require("events.read", scope="events:read")
def index() -> Response:
    """Events, newest first; a number in `q` opens that event."""
    wanted = web.arguments(PageFilter)
    number = whole(wanted.q.strip().lstrip("#"))
    if number is not None:
        return _go(f"/events/{number}")
    with reading() as c:
        zone = current_app.extensions["settings"].zone
        page, newer = queries.listed(c, wanted, zone), queries.newer(c, wanted, zone)
        context = _context(c, wanted, page) | {"newer": newer}
        templates = ("events/index.html", "events/_table.html")
        # Within the connection: the page, unlike its part, also asks for the types there are.
        return web.live(page.as_json, *templates, (page, newer, wanted), **context)


def _context(c: Connection, wanted: PageFilter, page: EventPage) -> dict[str, Any]:
    """What the templates show."""
    given = wanted.given()
    following = {**given, "cursor": page.next_cursor}
    # The first row, beyond which later events wait to be asked for.
    newest = queries.key_of(page.rows[0]) if page.rows and page.number == 1 else ""
    held = given if wanted.cursor or not newest else {**given, "upto": wanted.upto or newest}
    return {
        "found": page,
        "filter": wanted,
        "labels": {name: system.label for name, system in systems(c).items()},
        "query": urlencode(given),
        "newer_url": url_for("events.index", **given),
        "live_url": url_for("events.index", **held),
        "types": lambda: _types(c, wanted.type),
        "next_url": url_for("events.index", **following) if page.next_cursor else None,
        "first_url": url_for("events.index", **_without(given)) if wanted.cursor else None,
    }


def _types(c: Connection, chosen: str) -> list[str]:
    """Event types of the last days, and the one that is chosen."""
    lately = counters.by_labels(c, "events.accepted", clock.now() - LATELY)
    return sorted({event_type for event_type, _ in lately} | ({chosen} - {""}))


def _without(given: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in given.items() if key != "cursor"}


def _go(to: str) -> Response:
    moved = redirect(to, code=303)
    return Response(moved.get_data(), 303, {"Location": to}, mimetype="text/html")
