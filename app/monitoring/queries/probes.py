"""Whether the parts the hub stands on answer, and how fast; each probe is bounded in time."""

from __future__ import annotations

import threading

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy import select
from sqlalchemy.engine import Connection

from app import clock
from app.events.models import Event
from app.monitoring.rules.bands import LATENCY, SLA
from app.monitoring.rules.snapshot import Ping

TRIES = 3
# At most twice that long: to connect, then to be answered.
REDIS_SECONDS = 0.4
FAILURE_KEPT = 2.0


def ping_database(c: Connection) -> Ping:
    """Latency of a round trip and a small indexed read.

    The best of up to three: a database that is slow is so each time, a busy processor is not.
    """
    best = _round_trip(c)
    for _ in range(TRIES - 1):
        if best < SLA[LATENCY].warning:
            break
        best = min(best, _round_trip(c))
    return Ping(round(best, 2))


def _round_trip(c: Connection) -> float:
    started = clock.monotonic()
    c.execute(select(1)).scalar_one()
    c.execute(select(Event.id).order_by(Event.id.desc()).limit(1)).first()
    return (clock.monotonic() - started) * 1000


class RedisProbe:
    """Pings Redis; a failure is believed for two seconds, so that nobody queues up behind it."""

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(
            url,
            socket_timeout=REDIS_SECONDS,
            socket_connect_timeout=REDIS_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        self._lock = threading.Lock()
        self._failed_at: float | None = None

    def ping(self) -> Ping:
        """Latency, or none when Redis did not answer in time; never raises."""
        with self._lock:
            failed = self._failed_at
            if failed is not None and clock.monotonic() - failed < FAILURE_KEPT:
                return Ping(None)
            started = clock.monotonic()
            try:
                self._client.ping()
            except redis.RedisError:
                self._failed_at = clock.monotonic()
                return Ping(None)
            self._failed_at = None
            return Ping(round((clock.monotonic() - started) * 1000, 2))
