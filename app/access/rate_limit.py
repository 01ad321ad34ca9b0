"""The rate limit: kept in Redis for all processes, in this process while Redis is away."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
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

# How much of what is free a process may take at once, and how long it may keep it: a generous limit
# then costs one question to Redis a second, and a narrow one (below SHARE free) is exact.
SHARE = 64
MOST_TAKEN = 1_000
KEPT_SECONDS = 1.0

# The same decision as rules.rate.take, made where all processes meet: some requests at once, after
# giving back those that were taken and not used.
SCRIPT = f"""
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local step, room, unused = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local mark = tonumber(redis.call('GET', KEYS[1]) or now)
if mark > now + room + {SLACK} then mark = now end
mark = math.max(mark - unused * step, now)
local free = math.floor((now + room + 1 - mark) / step)
if free < 1 then return {{0, mark - now}} end
local taken = math.max(1, math.min({MOST_TAKEN}, math.floor(free / {SHARE})))
mark = mark + taken * step
redis.call('SET', KEYS[1], string.format('%.0f', mark), 'PX', math.ceil((mark - now) / 1000) + 1)
return {{taken, mark - now}}
"""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Slice:
    """Requests taken from the shared window and not used yet; `ahead` (µs) as it was `at`."""

    left: int = 0
    ahead: float = 0.0
    at: float = 0.0


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
        self._slices: dict[str, _Slice] = {}
        self._lock = threading.Lock()

    def take(self, caller: str) -> Verdict:
        """One request of this caller."""
        now = clock.monotonic()
        if now >= self._away_until:
            with self._lock:
                kept = self._slices.get(caller)
                if kept and kept.left and now - kept.at < KEPT_SECONDS:
                    kept.left -= 1
                    return self._allow(kept, now)
            try:
                return self._take_shared(caller, now)
            except redis.RedisError as problem:
                self._away_until = clock.monotonic() + PAUSE
                log.warning("rate limits are kept per process, Redis is away: %s", problem)
        return self._take_here(caller)

    def _take_shared(self, caller: str, now: float) -> Verdict:
        """Ask Redis, and keep what it gave beyond this request."""
        with self._lock:
            unused = self._slices.pop(caller, _Slice()).left
        given = [self.limit.step, self.limit.room, unused]
        taken, ahead = cast("list[int]", self._script(keys=[f"hub:rate:{caller}"], args=given))
        if not taken:
            return Verdict(self.limit, False, ahead)
        with self._lock:
            if len(self._slices) >= MOST_MARKS:
                self._slices.clear()
            kept = self._slices.setdefault(caller, _Slice())
            kept.left, kept.ahead, kept.at = kept.left + taken - 1, ahead, now
            return self._allow(kept, now)

    def _allow(self, kept: _Slice, now: float) -> Verdict:
        """What is not used yet is still free."""
        passed = (now - kept.at) * SECOND
        return Verdict(
            self.limit, True, max(0.0, kept.ahead - kept.left * self.limit.step - passed)
        )

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


def limiter_of(app: Flask) -> RateLimiter:
    """The limiter of an application."""
    return cast(RateLimiter, app.extensions["rate_limiter"])


def limiter() -> RateLimiter:
    """The limiter of the current application."""
    return limiter_of(current_app)
