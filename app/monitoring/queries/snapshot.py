"""One look at the hub, taken once per request from kept counters and a few index probes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from flask import current_app
from sqlalchemy.engine import Connection

from app import clock, counters, heartbeats, pipeline
from app.db import reading
from app.monitoring.queries import waiting
from app.monitoring.queries.bands import limits
from app.monitoring.queries.maintenance import maintained
from app.monitoring.queries.probes import RedisProbe, ping_database
from app.monitoring.queries.syncs import failed_syncs, long_syncs, missed_syncs
from app.monitoring.queries.whatsapp import whatsapp_state
from app.monitoring.rules.snapshot import Ping, Snapshot
from app.systems.actions import breakers
from app.systems.queries.snapshot import systems
from app.systems.rules.breaker import CLOSED, Breaker


def take_snapshot(now: int) -> Snapshot:
    """The present readings, on a connection of their own."""
    # Redis first: while it keeps us waiting no connection of the pool is held.
    redis = ping_redis()
    with reading() as c:
        return read_snapshot(c, redis, now)


def read_snapshot(c: Connection, redis: Ping, now: int) -> Snapshot:
    """The present readings; errors of the database are the caller's."""
    database = ping_database(c)
    every = all_breakers(c)
    paused = frozenset(name for name, system in systems(c).items() if system.paused)
    takers = [b for b in every.values() if b.state == CLOSED and b.system not in paused]
    return Snapshot(
        now=now,
        database=database,
        redis=redis,
        pending=counters.gauge(c, "events.pending"),
        unplanned=waiting.unplanned(c),
        waiting=counters.gauges(c, "deliveries.waiting"),
        waits=waiting.waits(c, takers, now),
        retry_ready=waiting.retry_ready(c, [b.system for b in takers], now),
        retry_oldest=waiting.retry_oldest(c, every),
        dead=counters.gauges(c, "dlq.open"),
        done=counters.total(c, "events.done", now - clock.DAY),
        failed=ended_badly(c, now - clock.DAY),
        breakers=every,
        paused=paused,
        processes=_count(process.kind for process in heartbeats.alive(c, now)),
        whatsapp=whatsapp_state(c, now),
        failed_syncs=failed_syncs(c, now),
        missed_syncs=missed_syncs(c, now),
        long_syncs=long_syncs(c),
        limits=limits(c),
        maintained=maintained(c, now),
        others=[alert for path in pipeline.ALERTS for alert in pipeline.resolve(path)(c, now)],
    )


def ended_badly(c: Connection, since: int, until: int | None = None) -> int:
    """Events that failed in the time and still are failed.

    An event that is retried is taken back from the minute in which it had failed; never below
    zero, whatever the rounding to whole hours cuts off.
    """
    return max(counters.total(c, "events.failed", since, until), 0)


def queue_sizes(c: Connection) -> dict[str, int]:
    """Sizes of the five queues alone."""
    silent = Ping(None)
    seen = Snapshot(
        0,
        silent,
        silent,
        unplanned=waiting.unplanned(c),
        waiting=counters.gauges(c, "deliveries.waiting"),
    )
    return seen.queue_sizes


def ping_redis() -> Ping:
    """Ping of the application's Redis."""
    probe: RedisProbe = current_app.extensions["redis_probe"]
    return probe.ping()


def all_breakers(c: Connection) -> dict[str, Breaker]:
    """A breaker for each known system, closed where none was stored."""
    stored = breakers.load(c)
    names = sorted({*systems(c), *stored})
    return {name: stored.get(name) or Breaker(name) for name in names}


def _count(kinds: Iterable[str]) -> dict[str, int]:
    return dict(Counter(kinds))
