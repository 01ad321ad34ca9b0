"""The engine when a claim or a record fails in a way nobody foresaw: nothing is stranded."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from importlib import import_module
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from app import clock
from app.db import transaction
from app.deliveries import jobs
from app.deliveries.actions.claim import claim
from app.deliveries.jobs import outcomes
from app.deliveries.jobs.engine import Engine
from app.queues import DEFAULT, HIGH
from tests.deliveries.drains import PATIENCE, until, within_one
from tests.deliveries.hub import LEASE, LIMITS, Hub
from tests.partners.client import Partners

ENGINE = import_module("app.deliveries.jobs.engine")
FAILURES = [OSError(errno.EINVAL, "the clock was stepped"), RuntimeError("a fault of our own")]
UNBINDABLE = ProgrammingError("INSERT", {}, ValueError("no such type"))
AWAY = text("ALTER TABLE deliveries RENAME TO deliveries_away")
BACK = text("ALTER TABLE deliveries_away RENAME TO deliveries")


@pytest.fixture
def environ(partners: Partners) -> dict[str, str]:
    ours = {"HUB_ALLOWED_NETWORKS": "127.0.0.0/8", "DELIVERY_TIMEOUT": "2"}
    return {**partners.environment(), **ours}


@pytest.fixture
def engine(hub: Hub) -> Iterator[Engine]:
    engine = Engine(hub.settings)
    yield engine
    engine.finish()


@pytest.fixture(params=FAILURES, ids=repr)
def problem(request: pytest.FixtureRequest) -> Any:
    """What goes wrong, unless a test names its own."""
    return request.param


def _failing(problem: Exception, asked: list[Any]) -> Callable[..., Any]:
    def fail(*arguments: Any, **_: Any) -> Any:
        asked.append(arguments)
        raise problem

    return fail


def test_a_claim_that_fails_strands_nothing_in_flight(
    hub: Hub,
    engine: Engine,
    partners: Partners,
    monkeypatch: pytest.MonkeyPatch,
    problem: Exception,
) -> None:
    for system in ("crm", "atendimento"):
        partners.mode(system, "held")
    ids = hub.deliveries("crm", 3)
    slow = hub.deliveries("atendimento", 1)
    assert engine.drain(HIGH, 0.05) is True
    waiting = hub.deliveries("operacao", 2)
    partners.mode("crm", "ok")
    with monkeypatch.context() as patch:
        asked: list[Any] = []
        patch.setattr(ENGINE, "claim", _failing(problem, asked))
        patch.setattr(ENGINE, "LOOK_LATER", 2 * PATIENCE)
        # Written as they end, not with the next look nor at the end of the drain.
        within_one(hub, engine, lambda: hub.states(ids) == {"sent"})
        assert len(asked) == 1
        assert engine.flying["atendimento"] == 1
    partners.mode("atendimento", "ok")
    until(engine, lambda: hub.states([*slow, *waiting]) == {"sent"})
    hub.consistent()


def test_so_is_one_for_a_row_that_is_sent_alone(
    hub: Hub,
    engine: Engine,
    partners: Partners,
    monkeypatch: pytest.MonkeyPatch,
    problem: Exception,
) -> None:
    (suspect,) = hub.deliveries("crm", 1, crashes=2, queue=DEFAULT)
    (other,) = hub.deliveries("crm", 1, queue=DEFAULT)
    with monkeypatch.context() as patch:
        patch.setattr(ENGINE, "claim_alone", _failing(problem, []))
        engine.drain(DEFAULT)
    assert (hub.delivery(suspect).status, hub.delivery(other).status) == ("pending", "sent")
    engine.drain(DEFAULT)
    assert hub.delivery(suspect).status == "sent"


def test_an_outcome_is_kept_while_writing_it_fails_for_a_time(
    hub: Hub, engine: Engine, partners: Partners, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = hub.deliveries("crm", 3)
    with monkeypatch.context() as patch:
        asked: list[float] = []

        def fail(*_: Any, **__: Any) -> None:
            asked.append(clock.monotonic())
            raise FAILURES[0]

        patch.setattr(outcomes, "record", fail)
        assert within_one(hub, engine, lambda: len(asked) >= 3) is True
    # The last word of a drain waits for no pause.
    assert all(after - before >= outcomes.WRITE_AGAIN for before, after in pairwise(asked[:3]))
    until(engine, lambda: hub.states(ids) == {"sent"})
    assert partners.counters("crm")["received"] == 3
    hub.consistent()


def _stumbling(monkeypatch: pytest.MonkeyPatch, over: Callable[[Any], bool], what: Any) -> None:
    """No outcome is written among those that one stumbles over."""
    record = outcomes.record

    def stumble(tries: Any, *arguments: Any, **options: Any) -> None:
        if any(over(tried) for tried in tries):
            raise what
        record(tries, *arguments, **options)

    monkeypatch.setattr(outcomes, "record", stumble)


@pytest.mark.parametrize("problem", [FAILURES[1], UNBINDABLE], ids=repr)
def test_an_outcome_at_fault_costs_its_neighbours_nothing(
    hub: Hub,
    engine: Engine,
    partners: Partners,
    monkeypatch: pytest.MonkeyPatch,
    problem: Exception,
) -> None:
    bad, *good = hub.deliveries("crm", 4)
    with monkeypatch.context() as patch:
        _stumbling(patch, lambda tried: tried.row.id == bad, problem)
        until(engine, lambda: hub.states(good) == {"sent"} and not engine.flying["crm"])
        assert hub.delivery(bad).status == "pending"
    # It was kept, and nothing is sent twice for it.
    until(engine, lambda: hub.delivery(bad).status == "sent")
    assert partners.counters("crm")["received"] == 4
    hub.consistent()


def test_an_outcome_is_let_go_of_when_its_lease_is_over(
    hub: Hub, engine: Engine, partners: Partners, monkeypatch: pytest.MonkeyPatch
) -> None:
    (bad,) = hub.deliveries("crm", 1)
    _stumbling(monkeypatch, lambda tried: tried.row.id == bad, FAILURES[1])
    until(engine, lambda: len(engine.outcomes) == 1)
    monkeypatch.setattr(engine.outcomes, "_lease_ms", 0)
    assert engine.drain(HIGH) is False
    assert hub.delivery(bad).status == "pending"


def test_a_fault_that_ends_midway_loses_none(
    hub: Hub, engine: Engine, partners: Partners, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = hub.deliveries("crm", 2 * outcomes.MOST_STUCK)
    times = iter(range(outcomes.MOST_STUCK))
    _stumbling(monkeypatch, lambda _: next(times, None) is not None, FAILURES[1])
    until(engine, lambda: hub.states(ids) == {"sent"})
    assert partners.counters("crm")["received"] == len(ids)
    hub.consistent()


@pytest.mark.parametrize("alone", FAILURES, ids=repr)
def test_a_fault_of_every_outcome_loses_none(
    hub: Hub,
    engine: Engine,
    partners: Partners,
    monkeypatch: pytest.MonkeyPatch,
    alone: Exception,
) -> None:
    ids = hub.deliveries("crm", 2 * outcomes.MOST_STUCK)

    tried: set[int] = set()

    def stumble(tries: Any, *_: Any, **__: Any) -> None:
        tried.update(each.row.id for each in tries)
        raise FAILURES[1] if len(tries) > 1 else alone

    with monkeypatch.context() as patch:
        patch.setattr(outcomes, "record", stumble)
        until(engine, lambda: tried == set(ids))
        assert engine.busy
    until(engine, lambda: hub.states(ids) == {"sent"})
    assert partners.counters("crm")["received"] == len(ids)
    hub.consistent()


def test_what_is_sent_alone_waits_while_nothing_can_be_written(
    hub: Hub, engine: Engine, partners: Partners, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = hub.deliveries("crm", 3, crashes=2, queue=DEFAULT)
    with monkeypatch.context() as patch:
        patch.setattr(outcomes, "record", _failing(FAILURES[0], []))
        engine.drain(DEFAULT, 0.3)
        engine.drain(DEFAULT, 0.3)
    assert partners.counters("crm")["received"] == 1
    until(engine, lambda: hub.states(ids) == {"sent"}, DEFAULT)


def test_rows_that_are_ours_leave_when_new_endpoints_cannot_be_read(
    hub: Hub, engine: Engine, partners: Partners, monkeypatch: pytest.MonkeyPatch
) -> None:
    (known,) = hub.deliveries("crm", 1)
    rows = claim(HIGH, {"crm": 9}, LIMITS, LEASE).rows
    with monkeypatch.context() as patch:
        patch.setattr(ENGINE.snapshot, "targets", _failing(FAILURES[0], []))
        assert ENGINE._with_unknown(rows, {}) == {}
    assert [row.id for row in rows] == [known]


def test_answers_are_read_when_what_comes_before_the_sending_fails(
    hub: Hub, engine: Engine, partners: Partners, monkeypatch: pytest.MonkeyPatch
) -> None:
    (id_,) = hub.deliveries("crm", 1, queue=DEFAULT)
    monkeypatch.setitem(hub.app.extensions, "engine", engine)
    monkeypatch.setattr(jobs, "plan_pending", _failing(FAILURES[1], []))
    jobs.work(DEFAULT)
    assert hub.delivery(id_).status == "sent"


def test_a_database_that_fails_is_asked_now_and_then(
    hub: Hub, engine: Engine, partners: Partners, caplog: pytest.LogCaptureFixture
) -> None:
    partners.mode("crm", "hang")
    hub.deliveries("crm", 1)
    assert engine.drain(HIGH, 0.05) is True
    with transaction() as tx:
        tx.connection.execute(AWAY)
    engine.drain(HIGH, 2 * ENGINE.LOOK_LATER)
    with transaction() as tx:
        tx.connection.execute(BACK)
    partners.mode("crm", "ok")
    assert 1 <= sum("nothing claimed" in line for line in caplog.messages) <= 4
