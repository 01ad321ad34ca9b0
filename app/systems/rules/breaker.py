"""The circuit breaker as a pure state machine; whoever calls it holds the row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

CLOSED, OPEN, HALF_OPEN = "closed", "open", "half_open"
RAMP_MS = 30_000
# What may leave at once when a system is back, and for how long an unused place stays good (ms).
RAMP_FIRST, RAMP_KEPT_MS = 5, 50
# Whoever waited for the database's lock comes with an older time than what was written meanwhile;
# only what lies further ahead than that was written by a clock that has stepped back since (ms).
AHEAD_MS = 10_000


@dataclass(frozen=True, slots=True)
class Limits:
    """When a breaker moves; `timeout_ms` is how long it stays open before its probe."""

    failures: int = 5
    successes: int = 2
    timeout_ms: int = 60_000


@dataclass(frozen=True, slots=True)
class Breaker:
    """State of one system's breaker; times in ms.

    `probe` names the attempt that may test a half-open breaker, until `probe_until`.
    `ramp_taken` counts what left since `closed_at`, or could have, while the recovered system is
    spared.
    """

    system: str
    state: str = CLOSED
    failures: int = 0
    successes: int = 0
    opened_at: int | None = None
    closed_at: int | None = None
    probe: str | None = None
    probe_until: int | None = None
    ramp_taken: int = 0


class Outcome(NamedTuple):
    """One attempt's word on the system (None: it says nothing) and its probe, if it was one."""

    bad: bool | None
    probe: str | None = None


def waits(breaker: Breaker, limits: Limits, now: int) -> bool:
    """Whether an open breaker's time is not over yet (one far in the future is: clocks step)."""
    if breaker.state != OPEN or breaker.opened_at is None:
        return False
    return -AHEAD_MS < now - breaker.opened_at < limits.timeout_ms


def may_probe(breaker: Breaker, limits: Limits, lease_ms: int, now: int) -> bool:
    """Whether a probe may leave now: the time is over and no probe is under way."""
    if breaker.state == CLOSED or waits(breaker, limits, now):
        return False
    until = breaker.probe_until
    return breaker.probe is None or until is None or not 0 < until - now < lease_ms + AHEAD_MS


def waited_in_vain(breaker: Breaker, limits: Limits, now: int) -> bool:
    """Whether no probe left for as long as an open breaker waits, though one might have."""
    since = max((breaker.opened_at or 0) + limits.timeout_ms, breaker.probe_until or 0)
    return not -AHEAD_MS < now - since < limits.timeout_ms


def probing(breaker: Breaker, probe: str, until: int) -> Breaker:
    """The breaker with its one probe under way."""
    return replace(breaker, state=HALF_OPEN, probe=probe, probe_until=until)


def after(breaker: Breaker, outcomes: Iterable[Outcome], limits: Limits, now: int) -> Breaker:
    """The breaker after attempts ended, in the order in which they did."""
    for outcome in outcomes:
        breaker = _after_one(breaker, outcome, limits, now)
    return breaker


def _after_one(breaker: Breaker, outcome: Outcome, limits: Limits, now: int) -> Breaker:
    if breaker.state == CLOSED:
        return _while_closed(breaker, outcome, limits, now)
    if outcome.probe is None or outcome.probe != breaker.probe:
        # Left before the breaker opened: says nothing about how the system is now.
        return breaker
    if outcome.bad:
        return _opened(breaker, now)
    if outcome.bad is None:
        return replace(breaker, probe=None, probe_until=None)
    successes = breaker.successes + 1
    if successes >= limits.successes:
        return closed(breaker, now)
    return replace(breaker, successes=successes, probe=None, probe_until=None)


def _while_closed(breaker: Breaker, outcome: Outcome, limits: Limits, now: int) -> Breaker:
    if outcome.bad is None:
        return breaker
    if not outcome.bad:
        return replace(breaker, failures=0) if breaker.failures else breaker
    failures = breaker.failures + 1
    breaker = replace(breaker, failures=failures)
    return _opened(breaker, now) if failures >= limits.failures else breaker


def _opened(breaker: Breaker, now: int) -> Breaker:
    return replace(
        breaker, state=OPEN, opened_at=now, closed_at=None, successes=0, probe=None,
        probe_until=None, ramp_taken=0,
    )  # fmt: skip


def closed(breaker: Breaker, now: int) -> Breaker:
    """Closed again, by its probes or by a person; what waits is let out gradually."""
    return Breaker(breaker.system, closed_at=now)


def allowance(breaker: Breaker, now: int) -> int | None:
    """How many more may leave now while the system recovers; None when there is no limit.

    Some 10 in the first tenth of a second, 2,800 after five seconds, no limit after thirty.
    """
    if not _ramping(breaker, now):
        return None
    return max(_ramp(_elapsed(breaker, now)) - _used(breaker, now), 0)


def let_out(breaker: Breaker, count: int, now: int) -> Breaker:
    """The breaker after so many left; what was not used in its time is given up."""
    return replace(breaker, ramp_taken=_used(breaker, now) + count)


def _elapsed(breaker: Breaker, now: int) -> int:
    return now - (breaker.closed_at or 0)


def _ramping(breaker: Breaker, now: int) -> bool:
    return breaker.closed_at is not None and -AHEAD_MS < _elapsed(breaker, now) < RAMP_MS


def _ramp(elapsed: int) -> int:
    """Most that may have left so many ms after the recovery."""
    t = max(elapsed, 0) / 1000
    return int(RAMP_FIRST + 60 * t + 10 * t**2 + 18 * t**3)


def _used(breaker: Breaker, now: int) -> int:
    """What left, or could have: places nobody took do not add up to a rush later."""
    elapsed = _elapsed(breaker, now)
    kept = max(RAMP_KEPT_MS, elapsed // 20)
    return max(breaker.ramp_taken, _ramp(elapsed - kept) if elapsed > kept else 0)
