"""The rate limit of keys: in Redis for all, in the process while Redis is away."""

from __future__ import annotations

import json
import socket
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import redis as redis_py
from flask import Flask
from flask.testing import FlaskClient

from app import clock
from app.access.guards import require
from app.access.rate_limit import KEPT_SECONDS, PAUSE, SHARE, RateLimiter
from app.access.rules.rate import Limit


@pytest.fixture
def environ() -> dict[str, str]:
    return {"RATE_LIMIT_PER_MINUTE": "6", "RATE_LIMIT_BURST": "3"}


@pytest.fixture(autouse=True)
def door(app: Flask) -> None:
    app.add_url_rule("/t", "t", require("events.read", scope="events:read")(lambda: "in"))


def test_it_works(client: FlaskClient, api_key) -> None:
    headers = {"X-API-Key": api_key()}
    answers = [client.get("/t", headers=headers) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert [answer.headers["X-RateLimit-Limit"] for answer in answers] == ["6"] * 3
    assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["2", "1", "0"]
    ahead = int(answers[-1].headers["X-RateLimit-Reset"]) - clock.now() // 1000
    assert 28 <= ahead <= 31


def test_too_many_are_refused_with_the_time_to_wait(client: FlaskClient, api_key) -> None:
    headers = {"X-API-Key": api_key()}
    for _ in range(3):
        client.get("/t", headers=headers)
    response = client.get("/t", headers=headers)
    assert response.status_code == 429
    told = json.loads(response.data)
    assert told["error"] == "Too many requests"
    assert 9 <= told["retry_after"] <= 10
    assert response.headers["Retry-After"] == str(told["retry_after"])
    assert response.headers["X-RateLimit-Remaining"] == "0"
    other = {"X-API-Key": api_key()}
    assert client.get("/t", headers=other).status_code == 200


def test_a_refusal_for_scope_counts_too(client: FlaskClient, api_key) -> None:
    headers = {"X-API-Key": api_key("dlq:*")}
    statuses = [client.get("/t", headers=headers).status_code for _ in range(4)]
    assert statuses == [403, 403, 403, 429]


def test_nobody_else_is_counted(client: FlaskClient, login) -> None:
    login(client)
    for _ in range(5):
        response = client.get("/t")
        assert response.status_code == 200
        assert "X-RateLimit-Limit" not in response.headers


def test_processes_share_the_window(redis: redis_py.Redis, redis_url: str) -> None:
    limiters = [RateLimiter(redis_url, Limit(1, 20)) for _ in range(4)]
    with ThreadPoolExecutor(8) as pool:
        verdicts = list(pool.map(lambda n: limiters[n % 4].take("key:1"), range(60)))
    assert sum(verdict.allowed for verdict in verdicts) == 20
    assert redis.pttl("hub:rate:key:1") > 0


def test_a_generous_limit_is_taken_in_slices_and_counted_one_by_one(
    redis: redis_py.Redis, redis_url: str
) -> None:
    limiter = RateLimiter(redis_url, Limit(1_000, 1_000))
    redis.config_resetstat()
    verdicts = [limiter.take("key:1") for _ in range(200)]
    assert all(verdict.allowed for verdict in verdicts)
    left = [verdict.remaining for verdict in verdicts]
    # What time gives back comes on top.
    assert all(abs(got - (999 - n)) <= 20 for n, got in enumerate(left)), left
    asked = redis.info("commandstats")["cmdstat_evalsha"]["calls"]
    assert asked < 40, asked


def test_slices_never_add_up_to_more_than_the_burst(redis: redis_py.Redis, redis_url: str) -> None:
    limiters = [RateLimiter(redis_url, Limit(1, 1_000)) for _ in range(3)]
    with ThreadPoolExecutor(8) as pool:
        verdicts = list(pool.map(lambda n: limiters[n % 3].take("key:1"), range(1_500)))
    # The last ones lie with whoever took them: never more than a share of what was free.
    assert 1_000 - 3 * 1_000 // SHARE <= sum(v.allowed for v in verdicts) <= 1_000
    assert redis.exists("hub:rate:key:1")


def test_what_was_taken_and_not_used_is_given_back(redis_url: str) -> None:
    limiter, other = (RateLimiter(redis_url, Limit(1, 1_000)) for _ in range(2))
    for _ in range(10):
        limiter.take("key:1")
        limiter._slices["key:1"].at -= KEPT_SECONDS
    held = limiter._slices["key:1"].left
    assert 0 < held <= 1_000 // SHARE
    # `remaining` never says more than the limit of a minute, `ahead` says it all.
    assert round(other.take("key:1").ahead / Limit(1, 1_000).step) == 10 + held + 1


def test_it_survives_a_script_flush(redis: redis_py.Redis, redis_url: str) -> None:
    limiter = RateLimiter(redis_url, Limit(1, 1))
    assert limiter.take("key:1").allowed
    redis.script_flush()
    assert not limiter.take("key:1").allowed


def test_a_mark_in_the_far_future_locks_nobody_out(redis: redis_py.Redis, redis_url: str) -> None:
    redis.set("hub:rate:key:1", (clock.now() + clock.DAY) * 1000)
    assert RateLimiter(redis_url, Limit(60, 1)).take("key:1").allowed


def test_without_redis_the_process_counts() -> None:
    limiter = RateLimiter("unix:///nowhere/redis.sock", Limit(1, 2))
    assert [limiter.take("key:1").allowed for _ in range(3)] == [True, True, False]


@pytest.fixture
def black_hole() -> Iterator[str]:
    """A Redis that takes connections and never answers."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as server:
        path = Path(folder) / "redis.sock"
        server.bind(str(path))
        server.listen(16)
        yield f"unix://{path}"


def test_a_black_hole_delays_one_request_only(black_hole: str) -> None:
    limiter = RateLimiter(black_hole, Limit(60, 100))
    begun = clock.monotonic()
    assert all(limiter.take("key:1").allowed for _ in range(100))
    assert clock.monotonic() - begun < min(1.0, PAUSE)
