"""Pages cost the same however much the tables hold: counted in steps of the database, not time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, text

from app import clock, counters, queues
from app.db import db, transaction
from app.deliveries.models import DeadLetter, Delivery
from app.events.models import Event
from tests.monitoring import rows

STEPS = 10
START, DOUBLINGS = 1_200, 5
PATHS = ("/status", "/dashboard", "/alerts", "/metrics", "/report/daily", "/circuit-breakers")


@pytest.fixture
def steps(well: Flask) -> Iterator[list[int]]:
    """`steps[0]` grows by one with every STEPS steps of SQLite's machine."""
    counted = [0]

    def count() -> int:
        counted[0] += 1
        return 0

    def watch(raw: Any, *_: Any) -> None:
        raw.set_progress_handler(count, STEPS)

    event.listen(db.engine, "checkout", watch)
    yield counted
    event.remove(db.engine, "checkout", watch)


def _double(c: Any, model: Any, **changes: str) -> None:
    """Insert all rows once more, under ids of their own."""
    changed = {"id": f"id + (SELECT max(id) FROM {model.__tablename__})", **changes}
    columns = [column.name for column in model.__table__.columns]
    values = ", ".join(changed.get(name, f'"{name}"') for name in columns)
    names = ", ".join(f'"{name}"' for name in columns)
    c.execute(text(f"INSERT INTO {model.__tablename__} ({names}) SELECT {values} FROM "
                   f"{model.__tablename__}"))  # fmt: skip


def _grow() -> None:
    with transaction() as tx:
        for _ in range(DOUBLINGS):
            _double(tx.connection, Event)
            _double(tx.connection, Delivery)
            other = "delivery_id + (SELECT max(delivery_id) FROM dead_letters)"
            _double(tx.connection, DeadLetter, delivery_id=other)
        tx.connection.execute(text(f"UPDATE counters SET n = n * {2**DOUBLINGS}"))


def test_pages_do_not_read_more_rows_when_there_are_more(
    get: Callable[..., Any], steps: list[int]
) -> None:
    def cost(path: str) -> int:
        before = steps[0]
        get(path)
        return steps[0] - before

    hour_ago = clock.now() - clock.HOUR
    rows.waiting(START, due_at=hour_ago)
    rows.waiting(START, queue=queues.RETRY, due_at=hour_ago)
    rows.waiting(START, queue=queues.RETRY, due_at=clock.now() + clock.HOUR)
    rows.dead(2 * START)
    with transaction() as tx:
        tx.connection.execute(text("UPDATE integration_events SET planned = 0 WHERE id % 4 = 0"))
        while counters.fold(tx):
            pass
    small = {path: cost(path) for path in PATHS}
    _grow()
    large = {path: cost(path) for path in PATHS}
    assert get("/dashboard")["queues"]["dead_letter"]["total"] == 2 * START * 2**DOUBLINGS
    for path in PATHS:
        assert large[path] <= 1.2 * small[path], (path, small[path], large[path])
