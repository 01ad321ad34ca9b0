"""The overview as a page, and the state of the hub in the frame of every page."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, Response, current_app, g, url_for
from flask_login import current_user
from werkzeug.local import LocalProxy

from app import clock, pipeline, web
from app.access.guards import by, require
from app.access.rules.abilities import DEVELOPMENT, MANAGEMENT, OPERATION
from app.db import reading
from app.monitoring.queries.alerts import snoozed_keys
from app.monitoring.queries.figures import Deliveries, Events
from app.monitoring.queries.snapshot import take_snapshot
from app.monitoring.rules import alerts as rules
from app.monitoring.rules import days, overview
from app.monitoring.rules.advice import Advice, advice
from app.monitoring.rules.snapshot import Snapshot
from app.systems.queries.snapshot import systems
from app.systems.rules.defaults import CARRIERS

blueprint = Blueprint("home", __name__)
# For how long the frame's state serves a process; pages poll every few seconds.
KEPT_SECONDS = 1.0
OVERVIEW = "monitoring.dashboard"
LANDING = {
    OPERATION: "runbook.today",
    DEVELOPMENT: "runbook.incidents",
    MANAGEMENT: "monitoring.sla",
}
FAVICONS = {"healthy": "ok", "degraded": "warn", "critical": "bad"}


@blueprint.get("/")
@require("overview.read", scope="overview:read", network=True)
def home() -> Response:
    """The page to begin with: what the person's level looks at first, where that page exists."""
    wanted = LANDING.get(by().level, OVERVIEW)
    to = url_for(wanted if wanted in current_app.view_functions else OVERVIEW)
    return Response("", 303, {"Location": to}, mimetype="text/html")


def overview_page(seen: Snapshot) -> Response:
    """The whole overview for people; what does not show is left out, so that 304 can be said."""
    keep(seen)
    with reading() as c:
        since = days.today(seen.now, current_app.extensions["settings"].zone)
        events = Events(c, since)
        context = {
            "health": rules.health(rules.alerts(seen)),
            "alerts": [(alert, advice(alert.type)) for alert in rules.alerts(seen)],
            "gauges": overview.gauges(seen),
            "queues": overview.queue_rows(seen),
            "systems": overview.system_rows(seen, Deliveries(c, since).by_system),
            "labels": CARRIERS | {name: system.label for name, system in systems(c).items()},
            "today": events.totals,
            "by_type": events.by_type,
            "by_source": events.by_source,
            "parts": _parts(seen),
        }
    page, part = "monitoring/overview.html", "monitoring/_overview.html"
    return web.live({}, page, part, context, **context, to=link)


def _parts(seen: Snapshot) -> dict[str, Any]:
    """What the hub stands on: whether it answers."""
    return {
        "database": seen.database.ok,
        "redis": seen.redis.ok,
        "scheduler": bool(seen.processes.get("scheduler")),
        "whatsapp": seen.whatsapp.connected,
    }


def link(found: Advice) -> str:
    """The page an advice points at; '' where that page does not exist."""
    if found.endpoint not in current_app.view_functions:
        return ""
    query: dict[str, Any] = dict(found.query)
    return url_for(found.endpoint, _anchor=found.anchor or None, **query)


def keep(seen: Snapshot) -> dict[str, Any]:
    """The frame's state from a snapshot that was just taken, kept for a moment."""
    with reading() as c:
        asleep = snoozed_keys(c, seen.now)
        counts = {name: pipeline.resolve(path)(c) for name, path in pipeline.NAV_COUNTS.items()}
    # An alert that was put to sleep must not keep shouting from the tab.
    found = [each for each in rules.by_cause(rules.alerts(seen)) if each.key not in asleep]
    health = rules.health(found)
    url = url_for("alerts.index")
    frame = {
        "overall": {"state": health, "count": len(found), "text": "", "url": url},
        "nav_counts": {"dead_letters.index": seen.dead_total, **counts},
        "favicon": FAVICONS[health],
    }
    current_app.extensions["frame_kept"] = (clock.monotonic(), frame)
    return frame


def frame() -> dict[str, Any]:
    """Overall state, numbers in the navigation and the icon; nothing for whoever is not in."""
    if not current_user or not current_user.is_authenticated:
        return {}
    if "frame" not in g:
        at, kept = current_app.extensions.get("frame_kept", (0.0, None))
        fresh = kept is not None and clock.monotonic() - at < KEPT_SECONDS
        g.frame = kept if fresh else keep(take_snapshot(clock.now()))
    found: dict[str, Any] = g.frame
    return found


def init_app(app: Flask) -> None:
    """Offer the frame to templates; asked for only where a template shows it."""
    app.extensions["frame"] = frame
    app.context_processor(_lazily)


def _lazily() -> dict[str, Any]:
    """Names of the frame that ask for it only where they are used."""
    return {
        "overall": LocalProxy(lambda: frame().get("overall")),
        "nav_counts": LocalProxy(lambda: frame().get("nav_counts")),
        "favicon": LocalProxy(lambda: frame().get("favicon")),
    }
