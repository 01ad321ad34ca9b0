"""Quiet hours: until when something that is not urgent waits."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from app import clock

TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")


def next_allowed(now: int, starts: str, ends: str, zone: ZoneInfo) -> int:
    """`now` outside the quiet hours, else the moment they end (ms); equal times mean none."""
    if starts == ends:
        return now
    today = clock.to_datetime(now, zone).date()
    for day in (today - timedelta(days=1), today):
        begin = _at(day, starts, zone)
        end = _at(day if ends > starts else day + timedelta(days=1), ends, zone)
        if begin <= now < end:
            return end
    return now


def _at(day: date, text: str, zone: ZoneInfo) -> int:
    hours, minutes = text.split(":")
    return clock.from_datetime(datetime.combine(day, time(int(hours), int(minutes)), zone))
