"""A cause has one delivery, also where two transactions serve it at the same moment."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from app import clock
from app.db import db, reading, transaction
from app.deliveries.actions.add import New, add
from app.deliveries.models import Delivery
from app.queues import DEFAULT
from tests.deliveries.hub import Hub
from tests.house.running import until

WAITS = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")


def somebody_waits() -> bool:
    """Whether a transaction waits for another one; SQLite has only one at a time anyway."""
    if db.engine.dialect.name == "sqlite":
        return True
    with reading() as c:
        return bool(c.scalar(WAITS))


@pytest.mark.usefixtures("any_database")
def test_of_two_at_once_for_the_same_cause_one_is_written(hub: Hub) -> None:
    event = hub.event("nobody.listens")
    new = New(event, "nobody.listens", "call", "crm", DEFAULT, b"{}", "step", dedupe="cause:1")

    def other() -> int | None:
        with hub.app.app_context(), transaction() as tx:
            return add(tx, new, clock.now())

    with ThreadPoolExecutor(1) as pool:
        with transaction() as tx:
            first = add(tx, new, clock.now())
            second = pool.submit(other)
            # It has looked, and found nothing: what we write is not committed yet.
            until(somebody_waits, 10)
        assert second.result(20) is None
    assert [row.id for row in hub.rows(Delivery)] == [first]
    assert hub.event_row(event).open_count == 1
    hub.consistent()
