"""One checklist a day and shift, whatever restarts, zones and second schedulers do."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from app import clock, pipeline, slots
from app.access.actions.api_keys import generate_api_key
from app.access.actor import SYSTEM
from app.db import reading
from app.runbook import jobs
from app.runbook.actions.checklists import ensure
from app.runbook.actions.procedures.backups import make_backup
from app.runbook.models.checklists import Checklist
from app.runbook.queries import checklists as queries
from app.runbook.rules import shifts
from tests.runbook.conftest import ZONE, at

SetTime = Callable[[str], int]


def made() -> list[tuple[str, str]]:
    with reading() as c:
        query = select(Checklist.day, Checklist.shift).order_by(Checklist.due_at)
        return [(row.day, row.shift) for row in c.execute(query)]


def test_it_works(hub: Flask, set_time: SetTime) -> None:
    """08:00 has the runbook's five items, 18:00 its three; both looked at, at their time."""
    with hub.app_context():
        for time, label, count in (("08:00", "matinal", 5), ("18:00", "vespertina", 3)):
            now = set_time(f"2026-11-23 {time}")
            jobs.open_checklist()
            with reading() as c:
                found = queries.sheet(c, ensure(now, ZONE), now, ZONE)
            assert label in found.label
            assert len(found.items) == count
            assert all(item.first and item.first.at == now for item in found.items)
            assert found.state == shifts.OPEN


@pytest.mark.parametrize(
    ("now", "day", "shift"),
    [
        ("2026-11-23 08:00", "2026-11-23", "morning"),
        ("2026-11-23 17:59", "2026-11-23", "morning"),
        ("2026-11-23 18:00", "2026-11-23", "evening"),
        ("2026-11-23 23:59", "2026-11-23", "evening"),
        ("2026-11-24 07:59", "2026-11-23", "evening"),
        ("2026-01-01 00:00", "2025-12-31", "evening"),
    ],
)
def test_the_shift_is_the_one_that_began_last(now: str, day: str, shift: str) -> None:
    found = shifts.current(at(now), ZONE)
    assert (found.day.isoformat(), found.name) == (day, shift)


@given(st.integers(min_value=1_600_000_000_000, max_value=2_000_000_000_000))
def test_a_moment_lies_in_exactly_one_shift(now: int) -> None:
    found = shifts.current(now, ZONE)
    assert found.due_at <= now < found.next_at
    assert shifts.current(found.due_at, ZONE) == found
    assert shifts.current(found.next_at - 1, ZONE) == found
    assert shifts.current(found.next_at, ZONE).due_at == found.next_at


def test_opening_makes_a_missing_one(hub: Flask, set_time: SetTime) -> None:
    now = set_time("2026-11-23 09:41")
    with hub.app_context():
        assert ensure(now, ZONE) == ensure(now, ZONE)
        assert made() == [("2026-11-23", "morning")]


def test_shifts_that_went_by_are_kept_as_missed(hub: Flask, set_time: SetTime) -> None:
    with hub.app_context():
        ensure(set_time("2026-11-21 08:00"), ZONE)
        now = set_time("2026-11-22 19:00")
        present = ensure(now, ZONE)
        days = [("2026-11-21", "morning"), ("2026-11-21", "evening")]
        assert made() == [*days, ("2026-11-22", "morning"), ("2026-11-22", "evening")]
        with reading() as c:
            assert queries.sheet(c, present, now, ZONE).state == shifts.OPEN
            states = [each.state for each in queries.day_sheets(c, "2026-11-21", now, ZONE)]
        assert states == [shifts.MISSED, shifts.MISSED]


def test_a_month_off_does_not_make_a_month_of_lists(hub: Flask, set_time: SetTime) -> None:
    with hub.app_context():
        ensure(set_time("2026-01-01 08:00"), ZONE)
        ensure(set_time("2026-11-22 19:00"), ZONE)
        assert len(made()) == shifts.MOST_MISSED + 1


def test_many_at_once_make_one(hub: Flask, any_database: str, set_time: SetTime) -> None:
    """Schedulers and readers that all look in the same second, on both kinds of database."""
    now = set_time("2026-11-23 08:00")
    found: list[int] = []

    def look() -> None:
        with hub.app_context():
            found.append(ensure(now, ZONE))

    threads = [threading.Thread(target=look) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with hub.app_context(), reading() as c:
        assert c.execute(select(func.count()).select_from(Checklist)).scalar_one() == 1
    assert len(found) == 6
    assert len(set(found)) == 1


def test_the_clock_runs_it_once_a_slot(hub: Flask, set_time: SetTime) -> None:
    slot = next(slot for slot in pipeline.SLOTS if slot.name == "checklist")
    assert slot.schedule.times == tuple(shifts.TIMES.values())
    now = set_time("2026-11-23 08:00")
    with hub.app_context():
        due = slot.schedule.latest(now, ZONE)
        assert [slots.take(slot.name, due, now) for _ in range(2)] == [True, False]


@pytest.mark.parametrize(
    ("now", "signed", "state"),
    [
        ("08:00", None, "open"),
        ("08:29", None, "open"),
        ("08:30", None, "late"),
        ("17:59", None, "late"),
        ("18:00", None, "missed"),
        ("18:00", "08:10", "signed"),
    ],
)
def test_late_and_missed(now: str, signed: str | None, state: str) -> None:
    due = at("2026-11-23 08:00")
    signed_at = at(f"2026-11-23 {signed}") if signed else None
    assert shifts.state(due, due, signed_at, at(f"2026-11-23 {now}"), ZONE) == state


def test_a_hub_that_starts_later_gives_half_an_hour() -> None:
    due, made_at = at("2026-11-23 08:00"), at("2026-11-23 11:00")
    assert shifts.state(due, made_at, None, made_at + 29 * clock.MINUTE, ZONE) == "open"
    assert shifts.state(due, made_at, None, made_at + 30 * clock.MINUTE, ZONE) == "late"


def test_it_reminds_of_chores(
    hub: Flask, set_time: SetTime, client: FlaskClient, login: Callable[..., object]
) -> None:
    """A key older than a quarter, no backup of the week: said to the shift, with the way there."""
    page = {"Accept": "text/html"}
    with hub.app_context():
        set_time("2026-08-01 09:00")
        generate_api_key(SYSTEM, "Sistema X", ["events:write"])
        make_backup(by=SYSTEM, now=clock.now())
    login(client, 1)
    assert 'id="due-' not in client.get("/hoje", headers=page).text
    set_time("2026-11-23 09:00")
    login(client, 1)
    said = client.get("/hoje", headers=page).text
    assert "hora de trocar: Sistema X" in said and "sem backup desta semana" in said
    assert 'href="/procedimentos/key_rotation"' in said
