"""Which queues have work that may leave now; one statement whatever the backlog."""

from __future__ import annotations

from sqlalchemy import Integer, String, column, exists, select, values
from sqlalchemy.engine import Connection

from app import queues
from app.deliveries.models import PENDING, Delivery
from app.deliveries.rules.retry import WORST_CRASHES
from app.systems.actions import breakers
from app.systems.rules import breaker as rules
from app.systems.rules.breaker import Limits

_QUEUES = values(column("queue", String), name="q").data([(queue,) for queue in queues.QUEUES])
_CRASHES = values(column("crashes", Integer), name="k").data(
    [(crashes,) for crashes in range(WORST_CRASHES)]
)
_FOREVER = 1 << 62


def queues_with_work(c: Connection, limits: Limits, lease_ms: int, now: int) -> set[str]:
    """Queues with a due row of a system that takes messages, or with a probe to send."""
    every = breakers.load(c).values()
    open_ = [b.system for b in every if b.state == rules.CLOSED]
    probing = [b.system for b in every if rules.may_probe(b, limits, lease_ms, now)]
    return _with_rows(c, open_, now) | _with_rows(c, probing, _FOREVER)


def _with_rows(c: Connection, systems: list[str], until: int) -> set[str]:
    """Queues with an unleased row of these systems due by `until`: one index probe a cell."""
    if not systems:
        return set()
    named = values(column("system", String), name="s").data([(system,) for system in systems])
    there = exists().where(
        Delivery.status == PENDING,
        Delivery.queue == _QUEUES.c.queue,
        Delivery.system == named.c.system,
        Delivery.crashes == _CRASHES.c.crashes,
        Delivery.due_at <= until,
        Delivery.lease.is_(None),
    )
    return set(
        c.scalars(select(_QUEUES.c.queue).select_from(_QUEUES, named, _CRASHES).where(there))
    )
