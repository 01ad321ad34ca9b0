"""Repair: what dead workers, lost bells and stepped clocks left behind becomes due again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, insert, select, update

from app import counters, queues
from app.counters import Count
from app.db import Tx, reading, transaction
from app.deliveries.actions.conclude import Death, conclude
from app.deliveries.models import IS_PENDING, Attempt, Delivery
from app.deliveries.rules import retry
from app.events.models import Event
from app.facts import DeliveriesDue

AT_ONCE = 1_000
# Further ahead than clocks of healthy machines and a wait for the database's lock explain, in ms.
SKEW = 10_000


def has_expired(now: int) -> bool:
    """Whether a worker holds something beyond its lease; one indexed read."""
    query = select(Delivery.id).where(*_held_beyond(now))
    with reading() as c:
        return c.execute(query.limit(1)).first() is not None


def _held_beyond(now: int) -> tuple[ColumnElement[bool], ...]:
    # Only pending rows have a lease; asked for the state too, SQLite would read all that wait.
    return Delivery.lease.is_not(None), Delivery.due_at <= now


def free_expired(now: int) -> int:
    """Take back what a worker held beyond its lease; the third time a row is set aside."""
    with transaction(durable=False) as tx:
        query = select(Delivery).where(*_held_beyond(now)).limit(AT_ONCE)
        rows = list(tx.connection.execute(_locked(tx, query)))
        if not rows:
            return 0
        tx.connection.execute(insert(Attempt), [_lost(row, now) for row in rows])
        ids = [row.id for row in rows]
        _release(tx, ids, now, crashes=Delivery.crashes + 1)
        _set_apart(tx, [row for row in rows if row.crashes + 1 == retry.ALONE_FROM], now)
        killers = [row.id for row in rows if row.crashes + 1 >= retry.WORST_CRASHES]
        reason = retry.describe(None, "crash")
        conclude(tx, deaths=[Death(id_, None, "crash", reason) for id_ in killers], now=now)
        tx.tell(DeliveriesDue(frozenset({*queues.CALM, *(row.queue for row in rows)})))
    return len(rows)


def _set_apart(tx: Tx, rows: Sequence[Any], now: int) -> None:
    """Rows that may be killing workers wait for a worker that has nothing else in flight."""
    if not rows:
        return
    ids = [row.id for row in rows]
    tx.connection.execute(update(Delivery).where(Delivery.id.in_(ids)).values(queue=queues.DEFAULT))
    metric = "deliveries.waiting"
    left = [Count(metric, row.queue, row.system, -1, gauge=True) for row in rows]
    came = [Count(metric, queues.DEFAULT, row.system, gauge=True) for row in rows]
    counters.add(tx.connection, [*left, *came], now)


def free_from_the_future(now: int, leased: bool = True) -> int:
    """Make due what was decided by a clock that stepped back since; `leased`: in flight too."""
    which = () if leased else (Delivery.lease.is_(None),)
    with transaction(durable=False) as tx:
        query = (
            select(Delivery.id, Delivery.queue)
            .where(IS_PENDING, Delivery.set_at > now + SKEW, *which)
            .limit(AT_ONCE)
        )
        rows = list(tx.connection.execute(_locked(tx, query)))
        if rows:
            _release(tx, [row.id for row in rows], now)
            tx.tell(DeliveriesDue(frozenset(row.queue for row in rows)))
    return len(rows)


def _locked(tx: Tx, query: Any) -> Any:
    """Two schedulers repair at once: each takes what the other has not."""
    if tx.connection.dialect.name == "sqlite":
        return query
    return query.with_for_update(skip_locked=True)


def _release(tx: Tx, ids: Sequence[int], now: int, **values: Any) -> None:
    tx.connection.execute(
        update(Delivery)
        .where(Delivery.id.in_(ids))
        .values(lease=None, probe=0, due_at=now, set_at=now, **values)
    )


def _lost(row: Any, now: int) -> dict[str, Any]:
    """The attempt's entry: it began, and nobody knows how it ended."""
    return {
        "delivery_id": row.id,
        "number": row.attempts + 1,
        "url": "",
        "started_at": row.set_at,
        "latency_ms": max(now - row.set_at, 0),
        "outcome": "lost",
        "status": None,
        "error_class": "worker_lost",
        "error": retry.describe(None, "worker_lost"),
        "request_headers": "{}",
        "response_body": b"",
        "asked_by": row.asked_by,
        "worker": "",
    }


def has_unplanned() -> bool:
    """Whether an event waits for its plan."""
    query = select(Event.id).where(Event.planned.is_(False))
    with reading() as c:
        return c.execute(query.limit(1)).first() is not None
