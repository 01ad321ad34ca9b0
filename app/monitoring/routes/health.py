"""Open doors: is the process up, and do the parts it stands on answer?"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response
from sqlalchemy.exc import SQLAlchemyError

from app import clock, queues
from app.access.guards import open_to_all
from app.db import reading
from app.monitoring.queries.bands import limits
from app.monitoring.queries.probes import ping_database
from app.monitoring.queries.snapshot import ping_redis, queue_sizes
from app.monitoring.rules.bands import CRITICAL, LATENCY, QUEUE_SIZE, SLA, Band
from app.monitoring.rules.snapshot import Ping
from app.web import answer

blueprint = Blueprint("health", __name__)
OK, SLOW, DOWN, LARGE, UNKNOWN = "ok", "slow", "down", "large", "unknown"


@blueprint.get("/health")
@open_to_all
def alive() -> Response:
    """The process answers; asks neither database nor Redis."""
    return answer({"status": OK, "timestamp": clock.iso(clock.now())})


@blueprint.get("/health/detailed")
@open_to_all
def detailed() -> Response:
    """Each part with its state; 503 when one is not well."""
    checks = _checks()
    well = all(check["status"] == OK for check in checks.values())
    data = {
        "status": OK if well else "degraded",
        "timestamp": clock.iso(clock.now()),
        "checks": checks,
    }
    return answer(data, status=200 if well else 503)


def _checks() -> dict[str, dict[str, Any]]:
    redis = ping_redis()
    try:
        with reading() as c:
            database, sizes, band = ping_database(c), queue_sizes(c), limits(c)[LATENCY]
    except SQLAlchemyError:
        # The point of this page is to say so rather than to fail with it.
        database, sizes, band = Ping(None), {}, SLA[LATENCY]
    return {
        "database": database_data(database, band),
        "redis": redis_data(redis),
        "queues": _queues_data(sizes),
    }


def database_data(database: Ping, band: Band) -> dict[str, Any]:
    """The database as JSON; slow above the critical limit in force."""
    if not database.ok:
        return {"status": DOWN, "latency_ms": None}
    slow = band.of(database.latency_ms) == CRITICAL
    return {"status": SLOW if slow else OK, "latency_ms": database.latency_ms}


def redis_data(redis: Ping) -> dict[str, Any]:
    """Redis as JSON."""
    return {"status": OK if redis.ok else DOWN, "latency_ms": redis.latency_ms}


def _queues_data(sizes: dict[str, int]) -> dict[str, Any]:
    """The queues; the retry queue waits by nature and has limits of its own in the alerts."""
    if not sizes:
        return {"status": UNKNOWN, "sizes": {}, "total": None}
    large = any(n > QUEUE_SIZE for queue, n in sizes.items() if queue != queues.RETRY)
    return {"status": LARGE if large else OK, "sizes": sizes, "total": sum(sizes.values())}
