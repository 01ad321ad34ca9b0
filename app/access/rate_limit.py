"""The rate limit: kept in Redis for all processes, in this process while Redis is away."""

from __future__ import annotations

import logging
import threading
from typing import cast

import redis
from flask import Flask, current_app
from redis.backoff import NoBackoff
from redis.retry import Retry

from app import clock
from app.access.rules.rate import SECOND, SLACK, Limit, Verdict, take

# Seconds: a request waits no longer for Redis, and after an error nobody asks for a while.
PATIENCE = 0.1
PAUSE = 5.0
MOST_MARKS = 10_000

# The same decision as rules.rate.take, made where all processes meet.
SCRIPT = f"""
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local step, room = tonumber(ARGV[1]), tonumber(ARGV[2])
local mark = tonumber(redis.call('GET', KEYS[1]) or now)
if mark < now or mark > now + room + {SLACK} then mark = now end
if mark + step - now > room + 1 then return {{0, mark - now}} end
mark = mark + step
redis.call('SET', KEYS[1], string.format('%.0f', mark), 'PX', math.ceil((mark - now) / 1000) + 1)
return {{1, mark - now}}
"""

log = logging.getLogger(__name__)


class RateLimiter:
    """Decides about callers by name; never fails and hardly waits."""

    def __init__(self, url: str, limit: Limit) -> None:
        self.limit = limit
        self._script = redis.Redis.from_url(
            url,
            socket_timeout=PATIENCE,
            socket_connect_timeout=PATIENCE,
            retry=Retry(NoBackoff(), 0),
        ).register_script(SCRIPT)
        self._away_until = 0.0
        self._marks: dict[str, float] = {}
        self._lock = threading.Lock()

    def take(self, caller: str) -> Verdict:
        """One request of this caller."""
        if clock.monotonic() >= self._away_until:
            try:
                return self._take_shared(caller)
            except redis.RedisError as problem:
                self._away_until = clock.monotonic() + PAUSE
                log.warning("rate limits are kept per process, Redis is away: %s", problem)
        return self._take_here(caller)

    def _take_shared(self, caller: str) -> Verdict:
        found = self._script(keys=[f"hub:rate:{caller}"], args=[self.limit.step, self.limit.room])
        allowed, ahead = cast("list[int]", found)
        return Verdict(self.limit, bool(allowed), ahead)

    def _take_here(self, caller: str) -> Verdict:
        now = clock.monotonic() * SECOND
        with self._lock:
            if len(self._marks) >= MOST_MARKS:
                self._marks = {name: mark for name, mark in self._marks.items() if mark > now}
            verdict, self._marks[caller] = take(self.limit, self._marks.get(caller, now), now)
        return verdict


def init_app(app: Flask) -> None:
    """Give the application its limiter."""
    settings = app.extensions["settings"]
    limit = Limit(settings.rate_limit_per_minute, settings.rate_limit_burst)
    app.extensions["rate_limiter"] = RateLimiter(app.extensions["redis_url"], limit)


def limiter() -> RateLimiter:
    """The limiter of the current application."""
    return cast(RateLimiter, current_app.extensions["rate_limiter"])
