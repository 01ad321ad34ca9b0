"""A hub at a chosen time, its people and what the data says about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from app import clock
from app.access.actor import Actor
from app.db import reading
from app.monitoring.rules.snapshot import Ping, Snapshot
from app.runbook.actions import checklists as actions
from app.runbook.actions import ticks
from app.runbook.queries import checklists as queries
from app.runbook.queries.checklists import Sheet
from app.runbook.rules.checks import Readings

ZONE = ZoneInfo("America/Sao_Paulo")
ANA, DAVI = Actor("user", 1, "Ana", 1), Actor("user", 2, "Davi", 2)


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


@dataclass
class Book:
    """The present shift's checklist, and what people do with it."""

    app: Flask
    time: Time

    @property
    def id(self) -> int:
        with self.app.app_context():
            return actions.ensure(self.time.now, ZONE)

    def sheet(self) -> Sheet:
        checklist_id = self.id
        with self.app.app_context(), reading() as c:
            return queries.sheet(c, checklist_id, self.time.now, ZONE)

    def look(self, **values: Any) -> None:
        """Check all items against a hub that is well but for `values` of the snapshot."""
        seen = Snapshot(self.time.now, Ping(1.0), Ping(1.0), **values)
        checklist_id = self.id
        with self.app.app_context():
            actions.look(checklist_id, Readings(seen))

    def tick(
        self, n: int, command: str, note: str = "", seen: int | None = None, by: Actor = ANA
    ) -> None:
        checklist_id = self.id
        with self.app.app_context():
            ticks.tick(checklist_id, n, command, note, seen, by=by, now=self.time.now, zone=ZONE)

    def answer_all(self) -> None:
        for item in self.sheet().items:
            self.tick(item.n, "done", "conferido")

    def sign(self, note: str = "", by: Actor = ANA) -> None:
        checklist_id = self.id
        with self.app.app_context():
            actions.sign(checklist_id, note, by=by, now=self.time.now, zone=ZONE)


@pytest.fixture
def book(hub: Flask, time: Time) -> Book:
    return Book(hub, time)
