"""Careful bulks: a probe, three, then more; they wait for the outcome and stop on a relapse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from app import clock, queues
from app.access.actor import Actor
from app.deliveries.actions import bulk, careful
from app.deliveries.models import Bulk, DeadLetter
from app.deliveries.queries.dead_letters import Narrow
from app.deliveries.rules.careful import next_size, relapsed, stage
from app.deliveries.rules.retry import Policy
from app.web import validate
from tests.deliveries.letters import check_counts, die, end, row, rows, take

ANA = Actor("user", 7, "Ana", 1)


@pytest.fixture(autouse=True)
def hub(seeded_app: Flask) -> Iterator[None]:
    with seeded_app.app_context():
        yield


def ask() -> int:
    wanted = validate(Narrow, {})
    asked = bulk.ask("retry", wanted, by=ANA, now=clock.now(), why="voltou", careful=True)
    assert asked.id is not None
    return asked.id


def step() -> int:
    """One step; how many deliveries left because of it."""
    careful.advance(clock.now())
    return len(going())


def going() -> list[Any]:
    return take(queues.RETRY)


def test_it_works() -> None:
    die(count=20)
    total = len(rows(DeadLetter))
    bulk_id = ask()
    assert not bulk.run_slice(1)
    left, steps = total, []
    while row(Bulk, bulk_id).state in ("queued", "running"):
        careful.advance(clock.now())
        out = going()
        assert not careful.advance(clock.now()), "it waits for the outcome"
        end(out, 200)
        left -= len(out)
        steps.append(len(out))
    assert steps[:3] == [1, 3, 10]
    assert left == 0
    assert row(Bulk, bulk_id).state == "done"
    assert {letter.state for letter in rows(DeadLetter)} == {"resolved"}
    check_counts()


def test_it_stops_when_the_probe_fails() -> None:
    die(count=5)
    bulk_id = ask()
    careful.advance(clock.now())
    out = going()
    assert len(out) == 1
    end(out, 404)
    careful.advance(clock.now())
    found = row(Bulk, bulk_id)
    assert found.state == "stopped"
    assert "mensagem de prova" in found.stopped
    check_counts()


def test_a_failure_of_the_canary_stops_it() -> None:
    die(count=10)
    bulk_id = ask()
    careful.advance(clock.now())
    end(going(), 200)
    careful.advance(clock.now())
    out = going()
    assert len(out) == 3
    end(out, 404)
    careful.advance(clock.now())
    found = row(Bulk, bulk_id)
    assert (found.state, found.done) == ("stopped", 4)
    assert "três de confirmação" in found.stopped
    assert step() == 0
    check_counts()


def test_a_failed_attempt_that_is_tried_again_stops_it_too() -> None:
    die(count=5)
    bulk_id = ask()
    careful.advance(clock.now())
    end(going(), 503, Policy(max_attempts=5))
    careful.advance(clock.now())
    assert row(Bulk, bulk_id).state == "stopped"


def test_it_can_be_cancelled() -> None:
    die(count=5)
    bulk_id = ask()
    assert step() == 1
    bulk.cancel(bulk_id, by=ANA, now=clock.now())
    assert not careful.advance(clock.now())
    assert row(Bulk, bulk_id).state == "cancelled"


def test_sizes() -> None:
    assert [next_size(n) for n in (0, 1, 4, 14, 28, 2000)] == [1, 3, 10, 14, 28, 500]
    assert [stage(n) for n in (1, 4, 5)] == ["probe", "canary", "ramp"]
    assert relapsed(4, 1)
    assert not relapsed(100, 5)
    assert relapsed(100, 6)
