"""Quiet hours: what falls into them waits for their end, everything else does not."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import clock
from app.messages.rules.quiet import next_allowed

ZONE = ZoneInfo("America/Sao_Paulo")


def at(text: str) -> int:
    return clock.from_datetime(datetime.fromisoformat(text).replace(tzinfo=ZONE))


@pytest.mark.parametrize(
    ("now", "hours", "then"),
    [
        ("2026-11-23T20:59", ("21:00", "08:00"), "2026-11-23T20:59"),
        ("2026-11-23T21:00", ("21:00", "08:00"), "2026-11-24T08:00"),
        ("2026-11-24T03:00", ("21:00", "08:00"), "2026-11-24T08:00"),
        ("2026-11-24T08:00", ("21:00", "08:00"), "2026-11-24T08:00"),
        ("2026-11-24T13:00", ("12:00", "14:00"), "2026-11-24T14:00"),
        ("2026-11-24T13:00", ("13:00", "13:00"), "2026-11-24T13:00"),
    ],
)
def test_when(now: str, hours: tuple[str, str], then: str) -> None:
    assert next_allowed(at(now), *hours, ZONE) == at(then)


times = st.times().map(lambda time: time.strftime("%H:%M"))


@given(st.integers(0, 4_000_000_000_000), times, times)
def test_never_in_the_past_never_longer_than_a_day_and_then_allowed(
    now: int, starts: str, ends: str
) -> None:
    then = next_allowed(now, starts, ends, ZONE)
    assert now <= then <= now + clock.DAY + clock.HOUR
    assert next_allowed(then, starts, ends, ZONE) == then
