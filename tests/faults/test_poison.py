"""A message that kills its worker is found, set aside with its reason, and harms no other."""

from __future__ import annotations

import json

import psutil
import pytest

from tests.faults.running import RunningHub
from tests.house.running import until

pytestmark = pytest.mark.faults


@pytest.fixture
def patience() -> dict[str, str]:
    """The worker must die before the message's deadline, or it was a mere timeout."""
    return {"DELIVERY_TIMEOUT": "6", "DELIVERY_LEASE": "6.5"}


def _holder(running: RunningHub, port: int) -> str:
    """The worker that sends from this port (a lease names no process)."""
    partner = int(running.partners.url("crm").rsplit(":", 1)[1])
    pids = running.hub.pids().items()
    return next(name for name, pid in pids if (port, partner) in _connections(pid))


def _connections(pid: int) -> set[tuple[int, int]]:
    """Ports here and there."""
    try:
        found = psutil.Process(pid).net_connections("tcp")
    except psutil.NoSuchProcess:
        return set()
    return {(each.laddr.port, each.raddr.port) for each in found if each.raddr}


def test_after_the_third_crash_it_is_a_dead_letter(running: RunningHub) -> None:
    partners = running.partners
    partners.mode("crm", "hang", body_contains="venenoso")
    (poison,) = running.send(1, name="venenoso")
    neighbours = running.send(20)
    ((delivery,),) = running.ask("SELECT id FROM deliveries WHERE event_id = ?", poison)

    def requests_of_poison() -> list[int]:
        """The ports that it came from."""
        return [e["client_port"] for e in partners.book("crm") if "venenoso" in e["body"]]

    for crash in range(1, 4):
        neighbours += running.send(3)
        until(lambda crash=crash: len(requests_of_poison()) >= crash, 30)
        # Its own worker and no other: the message is what kills.
        running.kill(_holder(running, requests_of_poison()[-1]))
    running.delivered(neighbours)
    query = "SELECT event_id, error_class, state, reason FROM dead_letters"
    ((event, error_class, state, reason),) = until(lambda: running.ask(query), 30)
    assert (event, error_class, state) == (poison, "crash", "open")
    assert "derrubou o processo" in reason
    assert len(requests_of_poison()) == 3
    outcomes = running.ask("SELECT outcome FROM attempts WHERE delivery_id = ?", delivery)
    assert outcomes == [("lost",)] * 3
    bodies = [json.loads(entry["body"])["_meta"]["event_id"] for entry in partners.book("crm")]
    assert {event for event in bodies if event != poison} == set(neighbours)
    assert running.ask("SELECT state FROM breakers WHERE system = 'crm'") == [("closed",)]
