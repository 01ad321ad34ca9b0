"""Which queues have work that may leave now; one statement whatever the backlog."""

from __future__ import annotations

from collections.abc import Container, Iterable
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Subquery,
    bindparam,
    exists,
    literal,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.engine import Connection
from sqlalchemy.orm import aliased

from app import queues
from app.deliveries.models import IS_PENDING, PENDING, Delivery
from app.deliveries.rules.retry import WORST_CRASHES
from app.systems.actions import breakers
from app.systems.queries import snapshot
from app.systems.rules import breaker as rules
from app.systems.rules.breaker import Limits


def _table(name: str, column: str, values: Iterable[object]) -> Subquery:
    """A little table of constants (SQLite has no column names on VALUES)."""
    rows = [select(literal(value).label(column)) for value in values]
    return union_all(*rows).subquery(name)


_QUEUES = _table("q", "queue", queues.QUEUES)
_CRASHES = _table("k", "crashes", range(WORST_CRASHES))
_FOREVER = 1 << 62


def first_in_lane() -> ColumnElement[bool]:
    """Nothing that was written earlier in the row's lane waits or is under way."""
    earlier = aliased(Delivery)
    before = exists().where(
        earlier.lane == Delivery.lane, earlier.status == PENDING, earlier.id < Delivery.id
    )
    return or_(Delivery.lane.is_(None), ~before.correlate(Delivery))


def queues_with_work(c: Connection, limits: Limits, lease_ms: int, now: int) -> set[str]:
    """Queues with a due row of a system that takes messages, or with a probe to send."""
    paused = {system.name for system in snapshot.systems(c).values() if system.paused}
    every = [b for b in breakers.load(c).values() if b.system not in paused]
    open_ = [b.system for b in every if b.state == rules.CLOSED]
    probing = [b.system for b in every if rules.may_probe(b, limits, lease_ms, now)]
    return _with_rows(c, open_, now) | _with_rows(c, probing, _FOREVER)


def has_work(
    c: Connection, queue: str, names: Container[str], limits: Limits, lease_ms: int, now: int
) -> bool:
    """Whether the queue has a due row of one of these systems, or a probe to send to one."""
    every = [b for b in breakers.load(c).values() if b.system in names]
    closed = [b.system for b in every if b.state == rules.CLOSED]
    if systems_with_work(c, queue, closed, now):
        return True
    probing = [b.system for b in every if rules.may_probe(b, limits, lease_ms, now)]
    return bool(systems_with_work(c, queue, probing, _FOREVER))


def _waits(
    queue: Any, system: Any, crashes: Any, *more: ColumnElement[bool]
) -> ColumnElement[bool]:
    """Whether a row waits in the queue for the system that so many workers died with."""
    return exists().where(
        IS_PENDING,
        Delivery.queue == queue,
        Delivery.system == system,
        Delivery.crashes == crashes,
        Delivery.lease.is_(None),
        *more,
    )


@lru_cache(maxsize=64)
def _due_of(systems: tuple[str, ...]) -> Select[tuple[str, int]]:
    """The statement of `systems_with_work`, built once for the systems there are."""
    named = _table("s", "system", systems)
    due = Delivery.due_at <= bindparam("now")
    there = _waits(bindparam("queue"), named.c.system, _CRASHES.c.crashes, due)
    return select(named.c.system, _CRASHES.c.crashes).join(_CRASHES, true()).where(there)


def systems_with_work(
    c: Connection, queue: str, systems: Iterable[str], now: int
) -> set[tuple[str, int]]:
    """(system, crashes) of the due rows of a queue: what a claim need not ask about is left out."""
    if not (names := tuple(sorted(systems))):
        return set()
    found = c.execute(_due_of(names), {"queue": queue, "now": now})
    return {(row.system, row.crashes) for row in found}


def has_innocent(c: Connection, system: str) -> bool:
    """Whether a message of the system waits, in whichever queue, that no worker died with."""
    there = _waits(_QUEUES.c.queue, system, 0, first_in_lane())
    return c.execute(select(_QUEUES.c.queue).where(there).limit(1)).first() is not None


def _with_rows(c: Connection, systems: list[str], until: int) -> set[str]:
    """Queues with an unleased row of these systems due by `until`: one index probe a cell."""
    if not systems:
        return set()
    named = _table("s", "system", systems)
    more = (Delivery.due_at <= until, first_in_lane())
    there = _waits(_QUEUES.c.queue, named.c.system, _CRASHES.c.crashes, *more)
    cells = select(_QUEUES.c.queue).join(named, true()).join(_CRASHES, true())
    return set(c.scalars(cells.where(there)))
