"""The engine in a process that may open few files: it sends less at once, and all of it."""

from __future__ import annotations

import resource
from collections.abc import Iterator

import psutil
import pytest

from app.deliveries.jobs.engine import Engine
from app.queues import HIGH
from tests.deliveries.hub import Hub
from tests.partners.client import Partners

FILES = 120
COUNT = 300


@pytest.fixture
def environ(partners: Partners) -> dict[str, str]:
    return {
        **partners.environment(),
        "HUB_ALLOWED_NETWORKS": "127.0.0.0/8",
        "DELIVERY_TIMEOUT": "3",
        "DELIVERY_IN_FLIGHT": "1000",
    }


@pytest.fixture
def engine(hub: Hub) -> Iterator[Engine]:
    """One that may open few files more."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    few = FILES + psutil.Process().num_fds()
    resource.setrlimit(resource.RLIMIT_NOFILE, (few, before[1]))
    try:
        engine = Engine(hub.settings)
        yield engine
        engine.finish()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_no_attempt_fails_for_want_of_a_file(hub: Hub, engine: Engine, partners: Partners) -> None:
    ids = [id_ for system in ("crm", "operacao") for id_ in hub.deliveries(system, COUNT)]
    for system in ("crm", "operacao"):
        partners.mode(system, "slow", ms=50)
    while engine.drain(HIGH, 1):
        pass
    assert hub.states(ids) == {"sent"}
    assert {len(hub.attempts(id_)) for id_ in ids} == {1}


def test_a_hung_system_leaves_places_to_the_others(
    hub: Hub, engine: Engine, partners: Partners
) -> None:
    partners.mode("crm", "hang")
    hub.deliveries("crm", COUNT)
    good = hub.deliveries("operacao", COUNT)
    while any(hub.delivery(id_).status != "sent" for id_ in good):
        assert engine.drain(HIGH, 0.5)
    assert partners.counters("crm")["received"] < FILES
