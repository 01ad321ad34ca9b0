"""Processes are killed for real: whatever was accepted is delivered, soon, and hardly twice."""

from __future__ import annotations

import os
import signal

import pytest

from tests.faults.running import WORKERS, RunningHub, Trickle
from tests.house.running import until

pytestmark = pytest.mark.faults


def test_every_event_survives_every_kill(running: RunningHub) -> None:
    partners = running.partners
    # A worker dies with deliveries in flight.
    partners.mode("crm", "slow", ms=1_500)
    events = running.send(12)
    until(lambda: partners.counters("crm")["received"] == 12)
    in_flight = running.in_flight()
    before = [running.kill(name) for name in ("high.1", "high.2")]
    partners.mode("crm", "ok")
    running.delivered(events)
    for name, pid in zip(("high.1", "high.2"), before, strict=True):
        running.reborn(name, pid)
    requests = partners.counters("crm")
    # What was in flight may come twice, nothing else; the id is the same.
    assert requests["received"] <= 12 + in_flight
    assert requests["distinct_ids"] == 12

    # The scheduler dies while retries wait.
    partners.mode("crm", "503", times=4)
    events += running.send(4)
    pid = running.kill("scheduler.1")
    running.delivered(events)
    running.reborn("scheduler.1", pid)

    # Redis dies, and all of its memory is wiped, under traffic.
    trickle = Trickle(running)
    pid = running.kill("redis")
    running.reborn("redis", pid)
    until(lambda: len(trickle.ids) >= 10)
    running.redis().flushall()
    seen = len(trickle.ids)
    until(lambda: len(trickle.ids) >= seen + 10)
    events += trickle.stop()
    assert trickle.refused == 0
    running.delivered(events)
    assert partners.counters("crm")["distinct_ids"] == len(events)

    # Every bell got lost while everybody who could ring was dead.
    partners.mode("crm", "hang")
    events += running.send(3)
    until(lambda: partners.counters("crm")["received"] > len(events))
    dead = {name: running.kill(name) for name in (*WORKERS, "scheduler.1", "redis")}
    partners.mode("crm", "ok")
    running.delivered(events)
    for name, pid in dead.items():
        running.reborn(name, pid)

    assert running.ask("SELECT count(*) FROM dead_letters") == [(0,)]
    assert running.ask("PRAGMA integrity_check") == [("ok",)]
    assert sum(running.redis().llen(f"rq:queue:{q}") for q in ("integrations-high",)) <= 8
    running.stop()


def test_a_dead_worker_is_noticed_without_a_scheduler(running: RunningHub) -> None:
    partners = running.partners
    scheduler = running.hub.pids()["scheduler.1"]
    partners.mode("crm", "hang")
    events = running.send(3)
    until(lambda: partners.counters("crm")["received"] == 3)
    os.kill(scheduler, signal.SIGSTOP)
    try:
        for name in ("high.1", "high.2"):
            running.kill(name)
        partners.mode("crm", "ok")
        running.delivered(events)
    finally:
        os.kill(scheduler, signal.SIGCONT)
    lost = running.ask("SELECT count(*) FROM attempts WHERE outcome = 'lost'")
    assert lost == [(3,)]
    running.stop()


def test_works_without_redis_and_stops_when_asked(running: RunningHub) -> None:
    pid = running.hub.pids()["redis"]
    os.kill(pid, signal.SIGSTOP)
    try:
        events = running.send(5)
        assert len(events) == 5
    finally:
        os.kill(pid, signal.SIGCONT)
    running.delivered(events, 20)
    running.stop()
    states = running.ask("SELECT count(*) FROM deliveries WHERE lease IS NOT NULL")
    assert states == [(0,)]
