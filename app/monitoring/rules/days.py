"""Days of the operation's zone as instants."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from app import clock


def day_of(now: int, zone: ZoneInfo) -> date:
    """The calendar day in the zone."""
    return clock.to_datetime(now, zone).date()


def bounds(day: date, zone: ZoneInfo) -> tuple[int, int]:
    """First instant of the day and of the next one (ms)."""
    first = datetime.combine(day, time.min, zone)
    after = datetime.combine(day + timedelta(days=1), time.min, zone)
    return clock.from_datetime(first), clock.from_datetime(after)


def today(now: int, zone: ZoneInfo) -> int:
    """First instant of the present day (ms)."""
    return bounds(day_of(now, zone), zone)[0]
