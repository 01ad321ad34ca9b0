"""The only place that asks the time; all else takes `now` in milliseconds since the epoch.

A wall clock may be stepped under a living process. A step is not believed at once: for a while, or
as long as the other processes say so (`hold`, see heartbeats), the time goes on as before. One
process whose clock is wrong thus neither steals leases nor lets retries wait for an hour.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

# The moments that others may tell us lie in the years 2000 to 2099 (ms); the rest are mistakes.
FIRST, LAST = 946_684_800_000, 4_102_444_800_000
# What is shown of a moment beyond the calendar, with a day to spare for any zone (ms).
EARLIEST, LATEST = -62_135_510_400_000, 253_402_214_400_000

# A difference that no slow clock reaches between two looks (ms).
STEP = 30 * SECOND
# A step that nobody contradicts is believed after this long (ms of the clock that never steps).
BELIEVED_AFTER = 20 * SECOND


def wall() -> int:
    """What this process's wall clock says (ms), believed or not."""
    return time.time_ns() // 1_000_000


def _steady() -> int:
    return time.monotonic_ns() // 1_000_000


class Hands:
    """The wall clock as far as it is believed: an offset to the clock that never steps."""

    def __init__(self) -> None:
        self._offset = wall() - _steady()
        self._doubted_since: int | None = None
        self._stepped_at: int | None = None

    def now(self) -> int:
        """The time: the wall clock's, or as it was going on before its step."""
        told, steady = wall(), _steady()
        is_step = abs(told - steady - self._offset) > STEP
        if is_step and self._doubted_since is None:
            self._doubted_since = steady
        elif not is_step or steady - (self._doubted_since or 0) >= BELIEVED_AFTER:
            self._stepped_at = steady if is_step else self._stepped_at
            self._offset, self._doubted_since = told - steady, None
        return steady + self._offset

    def hold(self) -> None:
        """The others go by the same time: a step of our wall clock is not to be believed."""
        if self._doubted_since is not None:
            self._doubted_since = _steady()

    def agree(self, theirs: int) -> None:
        """Go by the others' time (ms)."""
        steady = _steady()
        self._offset, self._doubted_since = theirs - steady, steady
        self._stepped_at = steady

    def is_settled(self, ms: int) -> bool:
        """Whether the time has gone on without a step for so long, and none is doubted now."""
        self.now()
        rested = self._stepped_at is None or _steady() - self._stepped_at >= ms
        return rested and self._doubted_since is None


hands = Hands()


def now() -> int:
    """Milliseconds since the epoch, UTC."""
    return hands.now()


def is_settled(ms: int) -> bool:
    """Whether times that were written down in the last `ms` were told by the same clock."""
    return hands.is_settled(ms)


def monotonic() -> float:
    """Seconds on a clock that never steps; only differences mean anything."""
    return time.monotonic()


def told(value: object, unit: int = 1) -> int | None:
    """A number that a partner calls a moment, `unit` ms each, in ms; None for anything that is
    no number or lies outside FIRST to LAST (NaN and the infinite too)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    ms = value * unit
    return int(ms) if FIRST <= ms < LAST else None


def to_datetime(ms: int, zone: ZoneInfo | None = None) -> datetime:
    """Aware datetime of an instant, in UTC or the zone given; the calendar's ends for those beyond.

    A column holds more than a calendar does, and one odd row must not take a page down.
    """
    shown = min(max(ms, EARLIEST), LATEST)
    return datetime.fromtimestamp(shown / 1000, UTC).astimezone(zone or UTC)


def from_datetime(moment: datetime) -> int:
    """Milliseconds since the epoch of an aware datetime."""
    return int(moment.timestamp() * 1000)


@lru_cache(maxsize=256)
def iso(ms: int | None) -> str | None:
    """ISO-8601 in UTC with milliseconds, or None."""
    if ms is None:
        return None
    return to_datetime(ms).isoformat(timespec="milliseconds").replace("+00:00", "Z")
