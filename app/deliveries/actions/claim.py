"""Claim: take due deliveries under a lease, by compare-and-swap, as each system allows."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import bindparam, select
from sqlalchemy.engine import Connection

from app import clock
from app.db import Tx, transaction, update_plain
from app.deliveries.models import IS_PENDING, Delivery
from app.deliveries.queries.due import first_in_lane, has_innocent, systems_with_work
from app.deliveries.rules.retry import ALONE_FROM, WORST_CRASHES
from app.systems.actions import breakers
from app.systems.rules import breaker as rules
from app.systems.rules.breaker import Breaker, Limits

# Rows that were in flight when a worker died are taken in small company, and from the second
# crash on alone: the one that kills is found without condemning those beside it.
SUSPECTS_AT_ONCE = 16


class Claimed(NamedTuple):
    """A delivery under our lease; `probe` when it tests a half-open breaker."""

    id: int
    event_id: int
    event_type: str
    system: str
    endpoint_id: int | None
    kind: str
    queue: str
    body: bytes
    attempts: int
    attempts_before: int
    crashes: int
    created_at: int
    asked_by: str
    lease: str
    probe: bool


# The columns that a claim carries along stand first in its row, in this order.
CARRIED = len(Claimed._fields) - 2


class Claim(NamedTuple):
    """What a claim brought; `more` when due rows were left (limits, ramp)."""

    rows: list[Claimed]
    more: bool


def claim(
    queue: str,
    room: Mapping[str, int],
    limits: Limits,
    lease_ms: int,
    now: int | None = None,
    suspects: int = SUSPECTS_AT_ONCE,
    patient: bool = True,
) -> Claim:
    """Take due rows of a queue, at most `room[system]` of a system, `suspects` that a worker died
    with; `now` is asked under the lock. Unless `patient`: Busy while somebody else writes."""
    lease, more = secrets.token_hex(8), False
    taken: list[Any] = []
    with transaction(durable=False, patient=patient) as tx:
        now = clock.now() if now is None else now
        every = [b for b in breakers.load(tx.connection).values() if room.get(b.system, 0) > 0]
        closed = [b for b in every if b.state == rules.CLOSED]
        due = systems_with_work(tx.connection, queue, (b.system for b in closed), now)
        for breaker in closed:
            if not (crashes := {times for system, times in due if system == breaker.system}):
                continue
            rows, left = _take(tx, queue, breaker, crashes, (room[breaker.system], suspects), now)
            suspects -= sum(row.crashes > 0 for row in rows)
            more = more or left
            taken += [(row, False) for row in rows]
        for breaker in every:
            probe = _take_probe(tx, queue, breaker, limits, lease, lease_ms, now)
            taken += [(row, True) for row in probe]
        _mark(tx.connection, taken, lease, lease_ms, now)
    return Claim([_claimed(row, lease, probe) for row, probe in taken], more)


def claim_alone(queue: str, lease_ms: int, now: int | None = None) -> Claimed | None:
    """Take the one row that may be killing workers; it is sent with nothing beside it."""
    lease = secrets.token_hex(8)
    with transaction(durable=False) as tx:
        now = clock.now() if now is None else now
        closed = [
            b.system for b in breakers.load(tx.connection).values() if b.state == rules.CLOSED
        ]
        query = _DUE.where(Delivery.system.in_(closed), Delivery.crashes == ALONE_FROM).limit(1)
        rows = _locking(tx.connection, query, queue=queue, now=now)
        _mark(tx.connection, [(row, False) for row in rows], lease, lease_ms, now)
    return _claimed(rows[0], lease, False) if rows else None


# Built once: building one costs more than asking it. Rows of a queue whose time has come. Whoever
# asks names the crashes: with a range of them the whole backlog would be read and sorted.
_DUE = select(
    *(getattr(Delivery, name) for name in Claimed._fields[:CARRIED]), Delivery.due_at
).where(
    IS_PENDING, Delivery.queue == bindparam("queue"), Delivery.due_at <= bindparam("now"),
    # A lease that ran out is first counted as a crash by the sweep.
    Delivery.lease.is_(None), first_in_lane(),
)  # fmt: skip
_DUE_OF = (
    _DUE.where(Delivery.system == bindparam("system"), Delivery.crashes == bindparam("crashes"))
    .order_by(Delivery.due_at)
    .limit(bindparam("most"))
)


def _locking(c: Connection, query: Any, **values: Any) -> Sequence[Any]:
    """Servers skip rows another worker is taking; SQLite has one writer at a time anyway."""
    if c.dialect.name != "sqlite":
        query = query.with_for_update(skip_locked=True)
    return c.execute(query, values).all()


def _take(
    tx: Tx, queue: str, breaker: Breaker, crashes: set[int], most: tuple[int, int], now: int
) -> tuple[Sequence[Any], bool]:
    """Due rows of a healthy system, gradually while it recovers; `crashes` says which there are,
    `most` how many there may be in all and of suspects."""
    wanted, suspects = most
    if rules.allowance(breaker, now) is not None:
        # Decided under the lock: workers share one allowance.
        breaker = breakers.load(tx.connection, [breaker.system], lock=True)[breaker.system]
    allowed = rules.allowance(breaker, now)
    limit = wanted if allowed is None else min(wanted, allowed)
    own = {"queue": queue, "system": breaker.system, "now": now}
    rows: list[Any] = []
    # First: what a dead worker held has waited for a lease already, and the backlog may be long.
    if (few := min(limit, suspects)) > 0 and 1 in crashes:
        rows += _locking(tx.connection, _DUE_OF, **own, crashes=1, most=few)
    if limit > len(rows) and 0 in crashes:
        rows += _locking(tx.connection, _DUE_OF, **own, crashes=0, most=limit - len(rows))
    if allowed is not None and rows:
        breakers.save(tx, breaker, rules.let_out(breaker, len(rows), now), "", "hub", now)
    return rows, len(rows) >= limit


def _take_probe(
    tx: Tx, queue: str, breaker: Breaker, limits: Limits, lease: str, lease_ms: int, now: int
) -> Sequence[Any]:
    """The one probe of a breaker whose time is over; decided again under its row's lock.

    The row that was tried least: probes must not use up one message's attempts. One that waits
    for its retry will do when nothing is due, so that a system that recovered is noticed.
    """
    if not rules.may_probe(breaker, limits, lease_ms, now):
        return ()
    locked = breakers.load(tx.connection, [breaker.system], lock=True)[breaker.system]
    if not rules.may_probe(locked, limits, lease_ms, now):
        return ()
    rows = _candidates(tx.connection, queue, locked, limits, now)
    if not rows:
        return ()
    chosen = min(rows, key=lambda row: (row.attempts - row.attempts_before, row.due_at))
    probing = rules.probing(locked, lease, now + lease_ms)
    breakers.save(tx, locked, probing, "teste de recuperação", "hub", now)
    return (chosen,)


def _candidates(
    c: Connection, queue: str, breaker: Breaker, limits: Limits, now: int
) -> Sequence[Any]:
    """Rows that may be the probe: those that crashed workers only if no queue has others, or if
    nobody came for those: a probe that dies with its worker holds the breaker for a lease.

    Among the next few due: sorting a whole backlog for the least tried would not stay cheap.
    """
    waiting = {"queue": queue, "system": breaker.system, "now": 1 << 62, "most": 50}
    if rows := _locking(c, _DUE_OF, **waiting, crashes=0):
        return rows
    if has_innocent(c, breaker.system) and not rules.waited_in_vain(breaker, limits, now):
        return ()
    for crashes in range(1, WORST_CRASHES):
        if rows := _locking(c, _DUE_OF, **waiting, crashes=crashes):
            return rows
    return ()


def _mark(
    c: Connection, taken: Sequence[tuple[Any, bool]], lease: str, lease_ms: int, now: int
) -> None:
    """Write the lease; `due_at` becomes its end, so that the row comes back by itself.

    Row by row: SQLite keeps a journal beside the transaction for an UPDATE of many.
    """
    held = {"lease": lease, "due_at": now + lease_ms, "set_at": now}
    update_plain(c, Delivery, [{"id": row.id, **held, "probe": int(probe)} for row, probe in taken])


def _claimed(row: Any, lease: str, probe: bool) -> Claimed:
    return Claimed._make((*row[:CARRIED], lease, probe))
