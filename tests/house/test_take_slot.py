"""Slots of the clock: once each, and never lost with who took them."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from app import clock, slots
from app.db import transaction
from app.monitoring import jobs
from app.pipeline import Slot
from app.schedules import HOURLY

pytestmark = pytest.mark.usefixtures("app_context")

NOW = 1_795_000_000_000
JOB = "cleanup"


@pytest.mark.usefixtures("any_database")
def test_one_of_all_who_ask_gets_it() -> None:
    assert [slots.take(JOB, NOW, NOW + late) for late in (0, 1, clock.MINUTE)] == [
        True,
        False,
        False,
    ]


@pytest.mark.usefixtures("any_database")
def test_what_has_ended_is_nobodys() -> None:
    assert slots.take(JOB, NOW, NOW)
    slots.done(JOB, NOW, NOW + 1)
    assert not slots.take(JOB, NOW, NOW + clock.DAY)
    assert slots.take(JOB, NOW + clock.DAY, NOW + clock.DAY)


@pytest.mark.usefixtures("any_database")
def test_what_a_dead_worker_left_is_taken_over_once() -> None:
    assert slots.take(JOB, NOW, NOW)
    later = NOW + slots.LEASE_MS
    assert not slots.take(JOB, NOW, later - 1)
    assert [slots.take(JOB, NOW, later) for _ in range(2)] == [True, False]


def test_a_lease_of_a_clock_that_was_ahead_is_over() -> None:
    assert slots.take(JOB, NOW, NOW + clock.HOUR)
    assert slots.take(JOB, NOW, NOW)


def test_a_failed_job_is_begun_again(monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[int] = []

    def job() -> None:
        tries.append(clock.now())
        if len(tries) == 1:
            raise OSError("the disk is full")

    now = clock.now()
    at = HOURLY.latest(now, jobs.current_app.extensions["settings"].zone)
    monkeypatch.setattr(jobs.pipeline, "SLOTS", (Slot(JOB, HOURLY, "some.job"),))
    monkeypatch.setattr(jobs.pipeline, "resolve", lambda _: job)
    jobs.minute("integrations-low")
    jobs.minute("integrations-low")
    assert len(tries) == 1
    # Its lease runs out: the next minute does it.
    with transaction() as tx:
        tx.connection.execute(update(slots.SlotRow).values(taken_at=now - slots.LEASE_MS))
    jobs.minute("integrations-low")
    assert len(tries) == 2
    assert not slots.take(JOB, at, now + clock.HOUR)
