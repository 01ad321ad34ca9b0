"""200,000 dead letters: pages cost what they cost with few; all of them retried exactly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from statistics import quantiles
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text

from app import clock, counters
from app.access.actor import Actor
from app.counters import Count
from app.db import reading, transaction
from app.deliveries.actions import bulk, dead_letters
from app.deliveries.models import Bulk, Cause, DeadLetter, Delivery
from app.deliveries.queries.dead_letters import Narrow
from app.events.models import Event
from tests.deliveries.letters import check_counts, die, row
from tests.pages import BROWSER

ANA = Actor("user", 7, "Ana", 1)
FEW, MANY, CAUSES = 1_000, 200_000, 40
PATHS = ("/dlq", "/dlq?cause=c1", "/dlq?system=crm&per_page=100")
TIMES = 20


@pytest.fixture(autouse=True)
def hub(seeded_app: Flask) -> Iterator[None]:
    with seeded_app.app_context():
        yield


def fill(until: int) -> None:
    """Copies of the one letter there is, numbered up to `until`, with the gauges they have."""
    with transaction(durable=False) as tx:
        c = tx.connection
        start = c.execute(select(func.max(DeadLetter.id))).scalar_one()
        numbers = f"WITH RECURSIVE s(n) AS (SELECT {start + 1} UNION ALL SELECT n + 1 FROM s"
        numbers += f" WHERE n < {until})"
        for model, changed in (
            (Event, {"id": "n", "idempotency_key": "'k' || n", "fingerprint": "'f' || n"}),
            (Delivery, {"id": "n", "event_id": "n"}),
            (DeadLetter, {"id": "n", "delivery_id": "n", "event_id": "n",
                          "died_at": "died_at - n % 1000", "cause": f"'c' || (n % {CAUSES})"}),
        ):  # fmt: skip
            table = model.__table__
            names = ", ".join(f'"{column.name}"' for column in table.columns)
            values = ", ".join(changed.get(column.name, f'o."{column.name}"')
                               for column in table.columns)  # fmt: skip
            one = f"(SELECT * FROM {table.name} WHERE id = 1) o"
            into = f"INSERT INTO {table.name} ({names})"
            c.execute(text(f"{into} {numbers} SELECT {values} FROM s, {one}"))
        sample = c.execute(select(DeadLetter.__table__).where(DeadLetter.id == 1)).one()
        causes = Counter(f"c{n % CAUSES}" for n in range(start + 1, until + 1))
        gauges = [Count("dlq.cause", key, "crm", n, True) for key, n in causes.items()]
        gauges.append(Count("dlq.open", sample.event_type, "crm", until - start, True))
        counters.add(c, gauges, clock.now())


def begin() -> None:
    """One letter to copy, and the causes."""
    assert die() == [1]
    cause = {"system": "crm", "status": 404, "error_class": "http_404", "first_at": 1}
    with transaction() as tx:
        named = [{**cause, "key": f"c{n}", "message": f"cause {n}"} for n in range(CAUSES)]
        tx.connection.execute(Cause.__table__.insert(), named)


def cost(client: FlaskClient, steps: list[int], path: str) -> int:
    before = steps[0]
    assert client.get(path, headers=BROWSER).status_code == 200
    return steps[0] - before


def tell(client: FlaskClient, path: str) -> None:
    """Print what a page takes here; how fast this machine is proves nothing."""
    spent = []
    for _ in range(TIMES):
        started = clock.monotonic()
        client.get(path, headers=BROWSER)
        spent.append((clock.monotonic() - started) * 1000)
    print(
        f"\n{path}: p50 {quantiles(spent, n=20)[9]:.0f} ms, p95 {quantiles(spent, n=20)[18]:.0f} ms"
    )


def run(bulk_id: int, batches: int) -> None:
    for _ in range(batches):
        assert bulk.run_slice(0)
    assert row(Bulk, bulk_id).state == "running"


def states() -> dict[str, int]:
    with reading() as c:
        query = select(DeadLetter.state, func.count().label("n")).group_by(DeadLetter.state)
        return {found.state: found.n for found in c.execute(query)}


def test_two_hundred_thousand(
    client: FlaskClient, login: Callable[..., Any], steps: list[int]
) -> None:
    login(client, 2)
    begin()
    fill(FEW)
    small = {path: cost(client, steps, path) for path in PATHS}
    fill(MANY)
    for path in PATHS:
        large = cost(client, steps, path)
        assert large <= 1.5 * small[path] + 100, (path, small[path], large)
        tell(client, path)

    asked = bulk.ask("retry", Narrow(), by=ANA, now=clock.now())
    assert (asked.id, asked.total) == (1, MANY)
    before = steps[0]
    run(1, 1)
    first = steps[0] - before
    # Somebody decides about a few of them meanwhile.
    later = clock.now() + 1_000
    taken = dead_letters.archive_selection(range(190_000, 190_010), by=ANA, why=None, now=later)
    run(1, 4)
    before = steps[0]
    run(1, 1)
    assert steps[0] - before <= 1.5 * first, "a batch costs more the further the work is"
    bulk.cancel(1, by=ANA, now=clock.now())
    assert not bulk.run_slice(0)
    done = row(Bulk, 1)
    assert (done.state, done.done, done.skipped) == ("cancelled", 6 * bulk.BATCH, 0)
    assert states() == {
        "archived": len(taken.done), "retrying": done.done, "open": MANY - done.done - 10,
    }  # fmt: skip
    check_counts()


def test_all_of_a_cause_and_nothing_else() -> None:
    begin()
    fill(20_000)
    asked = bulk.ask("retry", Narrow(cause="c2"), by=ANA, now=clock.now())
    assert (asked.id, asked.total) == (1, 500)
    while bulk.run_slice(1):
        continue
    assert (row(Bulk, 1).state, row(Bulk, 1).done) == ("done", 500)
    assert states() == {"open": 19_500, "retrying": 500}
    check_counts()
