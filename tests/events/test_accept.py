"""Intake: what is accepted is there, once; on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from msgspec.structs import replace
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from app import counters
from app.db import db, reading
from app.deliveries.models import Delivery
from app.errors import Conflict
from app.events.actions import intake
from app.events.actions.committer import Committer
from app.events.models import Event
from app.events.rules import Accepted, NewEvent, new_event

RACERS = 50


def lead(key: str | None = None, n: int = 1, source: str = "site") -> NewEvent:
    return new_event("lead.created", source, {"n": n}, raw=b"raw", via="test", key=key)


@pytest.fixture
def seeded(any_database: str, seeded_app: Flask) -> Any:
    with seeded_app.app_context():
        yield seeded_app


def count(table: Any) -> int:
    with reading() as c:
        return c.execute(select(func.count()).select_from(table)).scalar_one()


def race(app: Flask, deed: Callable[[int], Any], racers: int = RACERS) -> list[Any]:
    """What each of the threads got that did it at the same moment."""
    gate = threading.Barrier(racers)

    def run(number: int) -> Any:
        with app.app_context():
            gate.wait(10)
            try:
                return deed(number)
            finally:
                db.session.remove()

    with ThreadPoolExecutor(racers) as pool:
        return list(pool.map(run, range(racers)))


def test_an_event_is_stored_with_its_deliveries(seeded: Flask) -> None:
    accepted = intake.submit(lead())
    with reading() as c:
        row = c.execute(select(Event.__table__)).one()
        systems = set(c.scalars(select(Delivery.system)))
        assert counters.gauge(c, "events.pending") == 1
        assert counters.by_labels(c, "events.accepted", 0) == {("lead.created", "site"): 1}
    assert (row.id, row.status, row.created_at) == (accepted.id, "pending", accepted.created_at)
    assert systems == {"crm", "marketing"}


@pytest.mark.parametrize("grouped", [True, False], ids=["committer", "transactions"])
def test_a_race_of_equal_posts_makes_one_event(seeded: Flask, grouped: bool) -> None:
    def deed(_: int) -> Accepted:
        (found,) = [intake.submit(lead("same"))] if grouped else intake.accept([lead("same")])
        assert isinstance(found, Accepted)
        return found

    found = race(seeded, deed)
    assert len({each.id for each in found}) == 1
    assert sum(not each.repeat for each in found) == 1
    assert (count(Event), count(Delivery)) == (1, 2)


def test_a_race_of_two_bodies_has_one_winner(seeded: Flask) -> None:
    def deed(number: int) -> Any:
        return intake.accept([lead("same", n=number % 2)])[0]

    found = race(seeded, deed, 20)
    won = [each for each in found if isinstance(each, Accepted)]
    assert (len(won), len({each.id for each in won})) == (10, 1)
    assert sum(isinstance(each, Conflict) for each in found) == 10
    assert count(Event) == 1


def test_a_clash_does_not_refuse_its_neighbours(seeded: Flask) -> None:
    first = intake.submit(lead("k"))
    good, clash, repeat = intake.accept([lead(), lead("k", n=2), lead("k")])
    assert isinstance(good, Accepted)
    assert isinstance(clash, Conflict)
    assert repeat == Accepted(first.id, *_rest(first), True)
    with pytest.raises(Conflict):
        intake.submit(lead("k", n=2))
    assert count(Event) == 2


def _rest(accepted: Accepted) -> Sequence[Any]:
    return (
        accepted.event_type,
        accepted.source_system,
        accepted.status,
        accepted.created_at,
    )


def test_a_bad_event_does_not_refuse_those_committed_with_it(seeded: Flask) -> None:
    def deed(number: int) -> Any:
        # Longer than its column: PostgreSQL refuses it, and SQLite what is no bytes at all.
        event = lead(n=number)
        if number == 7:
            event = replace(event, received_via="x" * 100, raw=object())
        try:
            return intake.submit(event)
        except (SQLAlchemyError, TypeError) as error:
            return error

    found = race(seeded, deed, 20)
    assert [isinstance(each, Accepted) for each in found] == [n != 7 for n in range(20)]
    assert count(Event) == 19


def test_what_was_not_committed_leaves_nothing(seeded: Flask) -> None:
    broken = replace(lead(), raw=object())
    with pytest.raises(Exception, match=r"."):
        intake.accept([lead("k"), broken])
    with reading() as c:
        assert counters.gauge(c, "events.pending") == 0
        assert counters.by_labels(c, "events.accepted", 0) == {}
    assert (count(Event), count(Delivery)) == (0, 0)
    assert intake.submit(lead("k")).repeat is False


def test_an_event_without_a_route_is_done_and_goes_nowhere(seeded: Flask) -> None:
    event = new_event("whatsapp.ignored", "whatsapp", {}, raw=b"{}", via="test")
    accepted = intake.submit(event)
    with reading() as c:
        assert c.scalar(select(Event.status).where(Event.id == accepted.id)) == "done"
        assert counters.gauge(c, "events.pending") == 0
    assert count(Delivery) == 0


def test_what_waits_together_is_written_together() -> None:
    """The first writes alone; those that came meanwhile share the next transaction."""
    batches: list[int] = []
    entered, go = threading.Event(), threading.Event()

    def write(items: Sequence[int]) -> list[int]:
        batches.append(len(items))
        entered.set()
        assert go.wait(10)
        return [item * 2 for item in items]

    committer: Committer[int, int] = Committer(write)
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(committer.submit, 0)
        assert entered.wait(10)
        others = [pool.submit(committer.submit, n) for n in range(1, 8)]
        while len(committer._waiting) < 7:
            threading.Event().wait(0.001)
        go.set()
        assert [f.result(10) for f in (first, *others)] == [n * 2 for n in range(8)]
    assert batches == [1, 7]


def test_what_nobody_is_to_blame_for_is_told_to_all_at_once() -> None:
    """A locked database must not be waited for once for each of those that wait together."""
    calls: list[int] = []
    entered, go = threading.Event(), threading.Event()

    def write(items: Sequence[int]) -> list[int]:
        calls.append(len(items))
        entered.set()
        assert go.wait(10)
        raise OSError

    committer: Committer[int, int] = Committer(write, common=(OSError,))
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(committer.submit, 0)
        assert entered.wait(10)
        others = [pool.submit(committer.submit, n) for n in range(1, 8)]
        while len(committer._waiting) < 7:
            threading.Event().wait(0.001)
        go.set()
        assert all(isinstance(f.exception(10), OSError) for f in (first, *others))
    assert calls == [1]
