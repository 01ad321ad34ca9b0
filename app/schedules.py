"""Times of day in the operation's zone, whatever the zone of the machine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from app import clock


@dataclass(frozen=True, slots=True)
class Schedule:
    """Times of day (`HH:MM`) in the operation's zone; a slot missed by more than `late_ms` is not
    made up for."""

    times: tuple[str, ...]
    late_ms: int = 12 * clock.HOUR

    def latest(self, now: int, zone: ZoneInfo) -> int:
        """The newest slot that is not in the future (ms)."""
        return max(slot for slot in self._around(now, zone) if slot <= now)

    def next(self, now: int, zone: ZoneInfo) -> int:
        """The first slot in the future (ms)."""
        return min(slot for slot in self._around(now, zone) if slot > now)

    def _around(self, now: int, zone: ZoneInfo) -> list[int]:
        today = clock.to_datetime(now, zone).date()
        return [
            clock.from_datetime(datetime.combine(day, datetime.min.time(), zone).replace(
                hour=int(time[:2]), minute=int(time[3:])))
            for day in (today - timedelta(days=1), today, today + timedelta(days=1))
            for time in self.times
        ]  # fmt: skip


def every(hours: int) -> Schedule:
    """On the hour, every so many hours from midnight; a slot is late until the next one."""
    times = tuple(f"{hour:02}:00" for hour in range(0, 24, hours))
    return Schedule(times, late_ms=hours * clock.HOUR)


HOURLY = every(1)
