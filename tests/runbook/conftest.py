"""A hub at a chosen time, its people and what the data says about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from app import clock

ZONE = ZoneInfo("America/Sao_Paulo")


def at(text: str) -> int:
    """`2026-11-23 08:05` in São Paulo, as ms."""
    return clock.from_datetime(datetime.fromisoformat(text).replace(tzinfo=ZONE))


@dataclass
class Time:
    """The time that the whole application reads; set `now`."""

    now: int


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    found = Time(at("2026-11-23 08:05"))
    monkeypatch.setattr(clock, "now", lambda: found.now)
    return found


@pytest.fixture
def set_time(time: Time) -> Callable[[str], int]:
    def set_to(text: str) -> int:
        time.now = at(text)
        return time.now

    return set_to


@pytest.fixture
def hub(seeded_app: Flask, time: Time) -> Flask:
    return seeded_app
