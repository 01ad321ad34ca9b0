"""The only place that asks the time; all else takes `now` in milliseconds since the epoch."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def now() -> int:
    """Milliseconds since the epoch, UTC."""
    return time.time_ns() // 1_000_000


def monotonic() -> float:
    """Seconds on a clock that never steps; only differences mean anything."""
    return time.monotonic()


def to_datetime(ms: int, zone: ZoneInfo | None = None) -> datetime:
    """Aware datetime of an instant, in UTC or the zone given."""
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(zone or UTC)


def from_datetime(moment: datetime) -> int:
    """Milliseconds since the epoch of an aware datetime."""
    return int(moment.timestamp() * 1000)


def iso(ms: int | None) -> str | None:
    """ISO-8601 in UTC with milliseconds, or None."""
    if ms is None:
        return None
    return to_datetime(ms).isoformat(timespec="milliseconds").replace("+00:00", "Z")
