"""A claim, a record and a sweep cost what they cost, however much waits behind them."""

from __future__ import annotations

from app import clock
from app.db import reading
from app.deliveries.actions.repair import free_expired, free_from_the_future
from app.deliveries.queries.due import queues_with_work
from tests.deliveries.hub import LEASE, LIMITS, Hub, tried

FEW, MANY = 300, 6_000


def _cost(hub: Hub, steps: list[int]) -> dict[str, int]:
    found = {}
    mark = steps[0]

    def so_far(name: str) -> None:
        nonlocal mark
        found[name], mark = steps[0] - mark, steps[0]

    claimed = hub.claim()
    assert len(claimed.rows) == 100
    so_far("claim")
    hub.record(*(tried(row) for row in claimed.rows))
    so_far("record")
    free_expired(clock.now())
    free_from_the_future(clock.now())
    so_far("repair")
    with reading() as c:
        assert queues_with_work(c, LIMITS, LEASE, clock.now())
    so_far("due")
    return found


def test_a_backlog_costs_nothing(hub: Hub, steps: list[int]) -> None:
    hub.deliveries("crm", FEW)
    small = _cost(hub, steps)
    hub.deliveries("crm", MANY)
    large = _cost(hub, steps)
    for name, few in small.items():
        assert large[name] <= 1.2 * few + 5, (small, large)
