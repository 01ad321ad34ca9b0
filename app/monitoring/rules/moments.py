"""Moments as forms send them."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from app import clock


def local_moment(text: str, zone: ZoneInfo) -> int | None:
    """ISO text as ms; without an offset it is meant in the zone. None for what is no moment."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if not 2000 <= moment.year <= 2999:
        return None
    return clock.from_datetime(moment if moment.tzinfo else moment.replace(tzinfo=zone))


def local_text(ms: int, zone: ZoneInfo) -> str:
    """A moment as the value of a datetime-local field."""
    return clock.to_datetime(ms, zone).strftime("%Y-%m-%dT%H:%M")
