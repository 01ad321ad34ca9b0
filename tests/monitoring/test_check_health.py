"""Health: the open doors, and a hub whose database or Redis is away."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import clock, config, create_app, queues
from app.access.actor import Actor
from app.db import db
from app.monitoring.actions.bands import change_band
from app.monitoring.queries.probes import RedisProbe
from app.monitoring.rules.bands import LATENCY
from tests.monitoring import rows

Get = Callable[..., Any]
FAR = {"REMOTE_ADDR": "203.0.113.5"}


@pytest.fixture
def black_hole() -> Iterator[str]:
    """A Redis that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


def test_health_needs_nothing(tmp_path: Any) -> None:
    environ = {"HUB_DATA_DIR": str(tmp_path), "REDIS_URL": "unix:///nowhere/redis.sock",
               "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing"}  # fmt: skip
    answer = create_app(config.load(environ)).test_client().get("/health", environ_base=FAR)
    assert (answer.status_code, answer.json["status"]) == (200, "ok")
    assert answer.json["timestamp"].endswith("Z")


def test_detailed_health(get: Get) -> None:
    rows.waiting(2)
    data = get("/health/detailed")
    assert data["status"] == "ok"
    assert {name: check["status"] for name, check in data["checks"].items()} == {
        "database": "ok", "redis": "ok", "queues": "ok",
    }  # fmt: skip
    assert 0 < data["checks"]["database"]["latency_ms"] < 100
    sizes = {**dict.fromkeys(queues.QUEUES, 0), queues.HIGH: 2}
    assert data["checks"]["queues"] == {"status": "ok", "sizes": sizes, "total": 2}


def test_slow_is_what_the_limits_in_force_say(get: Get) -> None:
    gil = Actor("user", 3, "Gil", 3)
    change_band(LATENCY, 0, 0.0001, seen=0, by=gil, why="prova", now=clock.now())
    assert get("/health/detailed", 503)["checks"]["database"]["status"] == "slow"


def test_detailed_health_is_open(get: Get, client: FlaskClient) -> None:
    assert client.get("/health/detailed", environ_base=FAR).status_code == 200


def test_a_large_queue_is_degraded(get: Get) -> None:
    rows.waiting(501)
    data = get("/health/detailed", 503)
    assert (data["status"], data["checks"]["queues"]["status"]) == ("degraded", "large")


def test_a_database_that_is_away_is_said(tmp_path: Any, redis_url: str) -> None:
    environ = {"HUB_DATA_DIR": str(tmp_path), "REDIS_URL": redis_url,
               "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing"}  # fmt: skip
    client = create_app(config.load(environ)).test_client()
    answer = client.get("/health/detailed")
    assert answer.status_code == 503
    assert answer.json["checks"] == {
        "database": {"status": "down", "latency_ms": None},
        "redis": {"status": "ok", "latency_ms": answer.json["checks"]["redis"]["latency_ms"]},
        "queues": {"status": "unknown", "sizes": {}, "total": None},
    }
    assert client.get("/status").status_code == 503


@pytest.mark.parametrize("away", ["hangs", "gone"])
def test_redis_away_degrades_and_holds_nobody(
    get: Get, well: Flask, black_hole: str, away: str
) -> None:
    url = black_hole if away == "hangs" else "unix:///nowhere/redis.sock"
    well.extensions["redis_probe"] = RedisProbe(url)
    started = clock.monotonic()
    data = get("/health/detailed", 503)
    # Whoever waits for such a Redis waits five seconds for each word.
    assert clock.monotonic() - started < 4.5
    assert data["checks"]["redis"] == {"status": "down", "latency_ms": None}
    started = clock.monotonic()
    assert get("/dashboard")["health"]["status"] == "degraded"
    assert [alert["type"] for alert in get("/alerts")["alerts"]] == ["redis"]
    assert get("/status")["events"]["pending"] == 0
    assert clock.monotonic() - started < 4.5


def test_redis_is_seen_again_when_it_is_back(redis_url: str, black_hole: str) -> None:
    probe = RedisProbe(black_hole)
    assert not probe.ping().ok
    assert not probe.ping().ok
    assert RedisProbe(redis_url).ping().ok


def test_figures_on_postgresql_too(any_database: str, get: Get) -> None:
    rows.waiting(2, queue=queues.RETRY)
    rows.dead(2)
    data = get("/dashboard")
    assert data["queues"]["retry_queue"]["ready"] == 2
    assert data["queues"]["dead_letter"] == {
        "total": 2, "today": 2, "by_event_type": {"lead.created": 2},
    }  # fmt: skip
    assert db.engine.dialect.name == ("postgresql" if any_database else "sqlite")
