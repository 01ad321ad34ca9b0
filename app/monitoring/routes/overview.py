"""What the operation looks at: status, overview, alerts, the report of a day."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from flask import Blueprint, Response, current_app
from pydantic import BaseModel, Field
from sqlalchemy.engine import Connection

from app import clock
from app.access.guards import require
from app.db import reading
from app.monitoring.queries.figures import (
    Deliveries,
    Events,
    daily_report,
    dead_by_type,
    died_since,
)
from app.monitoring.queries.snapshot import take_snapshot
from app.monitoring.queries.syncs import sync_states
from app.monitoring.routes.health import database_data, redis_data
from app.monitoring.routes.page import overview_page
from app.monitoring.rules import alerts as rules
from app.monitoring.rules import days
from app.monitoring.rules.bands import CRITICAL, LATENCY, WARNING
from app.monitoring.rules.snapshot import Snapshot
from app.systems.routes.breakers import breakers_data
from app.web import answer, arguments, wants_html

blueprint = Blueprint("monitoring", __name__)
ABILITY, SCOPE = "overview.read", "overview:read"


class ReportWanted(BaseModel):
    """Query of the daily report; without a date, the day before."""

    day: date | None = Field(None, alias="date", ge=date(2000, 1, 1), le=date(2999, 12, 31))


@blueprint.get("/status")
@require(ABILITY, scope=SCOPE, network=True)
def status() -> Response:
    """State of the hub in figures."""
    seen = take_snapshot(clock.now())
    with reading() as c:
        return answer(status_data(c, seen))


@blueprint.get("/dashboard")
@require(ABILITY, scope=SCOPE, network=True)
def dashboard() -> Response:
    """The whole overview, as JSON or as a page."""
    seen = take_snapshot(clock.now())
    if wants_html():
        return overview_page(seen)
    with reading() as c:
        return answer(dashboard_data(c, seen))


@blueprint.get("/report/daily")
@require(ABILITY, scope=SCOPE, network=True)
def report() -> Response:
    """What was done on a day."""
    zone = current_app.extensions["settings"].zone
    yesterday = days.day_of(clock.now(), zone) - timedelta(days=1)
    with reading() as c:
        return answer(daily_report(c, arguments(ReportWanted).day or yesterday, zone))


def status_data(c: Connection, seen: Snapshot) -> dict[str, Any]:
    """GET /status in the contract's shape."""
    settings = current_app.extensions["settings"]
    today = Events(c, days.today(seen.now, settings.zone)).totals
    return {
        "app": {"name": settings.name, "env": settings.env, "debug": current_app.debug},
        "timestamp": clock.iso(seen.now),
        "events": {
            "pending": seen.pending,
            "today_processed": today["processed"],
            "today_failed": today["failed"],
        },
        "retry_queue": {"total": seen.retry_total, "ready": seen.retry_ready},
        "dead_letter": {
            "total": seen.dead_total,
            "last_24h": died_since(c, seen.now - clock.DAY, seen.dead_total),
            "last_7d": died_since(c, seen.now - 7 * clock.DAY, seen.dead_total),
            "by_type": dead_by_type(seen.dead),
        },
        "sync_jobs": sync_states(c, seen.now),
        "whatsapp": _whatsapp_data(seen),
        "circuit_breakers": breakers_data(seen.breakers, settings),
    }


def dashboard_data(c: Connection, seen: Snapshot) -> dict[str, Any]:
    """GET /dashboard in the contract's shape."""
    settings = current_app.extensions["settings"]
    found = rules.alerts(seen)
    since = days.today(seen.now, settings.zone)
    return {
        "timestamp": clock.iso(seen.now),
        "health": {
            "status": rules.health(found),
            "critical_alerts": rules.count(found, CRITICAL),
            "warning_alerts": rules.count(found, WARNING),
        },
        "sla": _sla_data(seen),
        "dependencies": {
            "database": database_data(seen.database, seen.limits[LATENCY]),
            "redis": redis_data(seen.redis),
            "whatsapp": _whatsapp_data(seen),
        },
        "events": _events_data(c, seen, since),
        "queues": _queues_data(c, seen, since),
        "deliveries": _deliveries_data(c, since),
        "sync": sync_states(c, seen.now),
        "circuit_breakers": breakers_data(seen.breakers, settings),
        "processes": dict(seen.processes),
        "alerts": [alert.as_data() for alert in found],
    }


def _whatsapp_data(seen: Snapshot) -> dict[str, Any]:
    return {"connected": seen.whatsapp.connected, "status": seen.whatsapp.status}


def _sla_data(seen: Snapshot) -> dict[str, Any]:
    """The five measures of the runbook with their bands."""
    bands = seen.sla
    return {
        name: {"value": None if value is None else round(value, 2), "band": bands[name]}
        for name, value in seen.measures.items()
    }


def _events_data(c: Connection, seen: Snapshot, since: int) -> dict[str, Any]:
    today = Events(c, since)
    return {
        "pending": seen.pending,
        "today": today.totals,
        "by_type": today.by_type,
        "by_source": today.by_source,
    }


def _queues_data(c: Connection, seen: Snapshot, since: int) -> dict[str, Any]:
    return {
        "sizes": seen.queue_sizes,
        "held": seen.held,
        "retry_queue": {
            "total": seen.retry_total,
            "ready": seen.retry_ready,
            "oldest": clock.iso(seen.retry_oldest),
        },
        "dead_letter": {
            "total": seen.dead_total,
            "today": died_since(c, since, seen.dead_total),
            "by_event_type": dead_by_type(seen.dead),
        },
    }


def _deliveries_data(c: Connection, since: int) -> dict[str, Any]:
    ended = Deliveries(c, since)
    return {"today": ended.totals, "by_endpoint": ended.by_system}
