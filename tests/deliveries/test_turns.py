"""Turns at the database: a worker with answers to see to does not queue behind another writer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from app import clock, sqlite_writes
from app.db import transaction
from app.deliveries.jobs import turns
from app.deliveries.jobs.engine import Engine
from app.deliveries.jobs.turns import PATIENT_AFTER, TRY_AGAIN, Turns
from app.queues import DEFAULT, HIGH, RETRY
from app.sqlite_writes import Busy
from tests.deliveries.drains import PATIENCE, within_one
from tests.deliveries.hub import Hub
from tests.partners.client import Partners


@pytest.fixture
def environ(partners: Partners) -> dict[str, str]:
    return {**partners.environment(), "HUB_ALLOWED_NETWORKS": "127.0.0.0/8"}


@pytest.fixture
def engine(hub: Hub) -> Iterator[Engine]:
    engine = Engine(hub.settings)
    yield engine
    engine.finish()


class _Holder:
    """Another writer, which keeps the database's lock until something holds or time is up."""

    def __init__(self, hub: Hub, until: Any) -> None:
        self.saw_it = False
        self._app, self._until = hub.app, until
        self._has = threading.Event()
        self._thread = threading.Thread(target=self._hold)

    def _hold(self) -> None:
        with self._app.app_context(), transaction():
            self._has.set()
            end = clock.monotonic() + PATIENCE
            while not self.saw_it and clock.monotonic() < end:
                self.saw_it = self._until()

    def __enter__(self) -> _Holder:
        self._thread.start()
        assert self._has.wait(5)
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()


def test_answers_are_seen_to_while_another_writes(
    hub: Hub, engine: Engine, partners: Partners, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "PATIENT_AFTER", 60)
    partners.mode("crm", "held")
    slow = hub.deliveries("crm", 3)
    assert engine.drain(HIGH, 0.05) is True
    assert engine.flying["crm"] == 3
    waiting = hub.deliveries("operacao", 3)
    with _Holder(hub, lambda: not any(engine.flying.values())) as holder:
        partners.mode("crm", "ok")
        engine.drain(HIGH, PATIENCE)
    assert holder.saw_it
    engine.drain(HIGH)
    assert hub.states((*slow, *waiting)) == {"sent"}
    hub.consistent()


def test_a_look_in_vain_asks_for_no_lock(
    hub: Hub, engine: Engine, partners: Partners, monkeypatch: pytest.MonkeyPatch
) -> None:
    engines, asked = import_module("app.deliveries.jobs.engine"), []
    claim = engines.claim
    monkeypatch.setattr(engines, "claim", lambda *a, **k: asked.append(1) or claim(*a, **k))
    partners.mode("crm", "slow", ms=200)
    hub.deliveries("crm", 1)
    engine.drain(HIGH)
    # When it began, and when nothing was left to wait for; not each few milliseconds between.
    assert len(asked) <= 3


def test_work_that_comes_beside_a_request_in_flight_is_found(
    hub: Hub, engine: Engine, partners: Partners
) -> None:
    partners.mode("crm", "held")
    hub.deliveries("crm", 1)
    late: list[int] = []

    def came_and_went() -> bool:
        """It comes while the drain waits for the other one."""
        if not late and engine.flying.get("crm") == 1:
            late.extend(hub.deliveries("operacao", 1))
        return bool(late) and hub.delivery(late[0]).status == "sent"

    within_one(hub, engine, came_and_went)
    assert engine.flying["crm"] == 1
    partners.mode("crm", "ok")


@pytest.mark.parametrize("queue", [DEFAULT, RETRY])
def test_two_workers_send_what_may_be_killing_workers(
    hub: Hub, engine: Engine, partners: Partners, queue: str
) -> None:
    ids = hub.deliveries("crm", 3, crashes=2, queue=DEFAULT)
    engine.drain(queue)
    assert hub.states(ids) == {"sent"}


def test_the_others_leave_it_alone(hub: Hub, engine: Engine, partners: Partners) -> None:
    hub.deliveries("crm", 1, crashes=2, queue=DEFAULT)
    engine.drain(HIGH)
    assert partners.counters("crm")["received"] == 0


def test_is_told_at_once_that_somebody_writes(hub: Hub) -> None:
    told: list[bool] = []
    with _Holder(hub, lambda: bool(told)):
        began = clock.monotonic()
        with pytest.raises(Busy), transaction(patient=False):
            pass
        took = clock.monotonic() - began
        told.append(True)
    assert took < 4  # SQLite would have waited for five.
    with transaction(patient=False) as tx:
        assert tx.connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 5000


def test_who_is_patient_waits_for_its_turn(hub: Hub) -> None:
    end = clock.monotonic() + 0.2
    with _Holder(hub, lambda: clock.monotonic() > end), transaction() as tx:
        assert clock.monotonic() > end
        assert tx.connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 5000


def test_patience_has_an_end(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_writes, "BUSY_SECONDS", 0.2)
    told: list[bool] = []
    with (
        _Holder(hub, lambda: bool(told)),
        pytest.raises(OperationalError, match="database is locked"),
    ):
        try:
            with transaction():
                pass
        finally:
            told.append(True)
    with transaction():
        pass


def test_when_to_ask_again_and_when_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(clock, "monotonic", lambda: now[0])
    mine = Turns()
    assert mine.is_due and not mine.is_patient and mine.pause == 0
    mine.refused()
    assert not mine.is_due and mine.pause == pytest.approx(TRY_AGAIN)
    now[0] += TRY_AGAIN
    assert mine.is_due and not mine.is_patient
    mine.refused()
    now[0] = 100.0 + 2 * PATIENT_AFTER
    assert mine.is_patient
    mine.had()
    assert mine.is_due and not mine.is_patient
