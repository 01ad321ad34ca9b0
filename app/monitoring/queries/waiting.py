"""What waits, found by index probes whose number does not depend on how much waits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import func, literal, select, true, union_all
from sqlalchemy.engine import Connection

from app import queues
from app.deliveries.models import IS_PENDING, Delivery
from app.deliveries.rules.retry import WORST_CRASHES
from app.events.models import Event
from app.systems.rules.breaker import Breaker

# Counts by probing stop here; the larger number is not told.
MOST = 1_000
_CRASHES = tuple(range(WORST_CRASHES))


def waits(c: Connection, takers: Iterable[Breaker], now: int) -> dict[str, int]:
    """Per queue with due messages: ms that the oldest one has waited though it could leave.

    Only systems that take messages (`takers`) count: what a breaker or a pause holds is told
    apart. After a breaker closed, waiting is counted from then on.
    """
    closed_at = {breaker.system: breaker.closed_at or 0 for breaker in takers}
    found: dict[str, int] = defaultdict(int)
    for queue, system, due_at in _first_due(c, list(closed_at), queues.QUEUES, now):
        wait = now - max(due_at, closed_at[system])
        found[queue] = max(found[queue], wait)
    if (created_at := _oldest_unplanned(c)) is not None:
        found[queues.DEFAULT] = max(found[queues.DEFAULT], now - created_at)
    return {queue: max(wait, 0) for queue, wait in found.items()}


def _first_due(
    c: Connection, systems: Sequence[str], names: Sequence[str], until: int
) -> list[tuple[str, str, int]]:
    """(queue, system, due_at) of the first unleased row of each cell: one probe a cell."""
    if not systems:
        return []
    queue, system, crashes = (
        union_all(*(select(literal(value).label("v")) for value in values)).subquery(name)
        for name, values in (("q", names), ("s", systems), ("k", _CRASHES))
    )
    first = (
        select(Delivery.due_at)
        .where(
            IS_PENDING,
            Delivery.queue == queue.c.v,
            Delivery.system == system.c.v,
            Delivery.crashes == crashes.c.v,
            Delivery.due_at <= until,
            Delivery.lease.is_(None),
        )
        .order_by(Delivery.due_at)
        .limit(1)
        .correlate(queue, system, crashes)
        .scalar_subquery()
    )
    query = select(queue.c.v, system.c.v, first).join(system, true()).join(crashes, true())
    return [(q, s, due) for q, s, due in c.execute(query) if due is not None]


def _oldest_unplanned(c: Connection) -> int | None:
    """When the first event without a plan came in."""
    query = select(Event.created_at).where(Event.planned.is_(False)).order_by(Event.id)
    return c.execute(query.limit(1)).scalar_one_or_none()


def unplanned(c: Connection) -> int:
    """Events without a plan, counted up to MOST."""
    few = select(Event.id).where(Event.planned.is_(False)).limit(MOST).subquery()
    return c.execute(select(func.count()).select_from(few)).scalar_one()


def retry_ready(c: Connection, systems: Sequence[str], now: int) -> int:
    """Retries that may leave now (due, their system takes messages), counted up to MOST."""
    if not systems:
        return 0
    few = (
        select(Delivery.id)
        .where(
            IS_PENDING,
            Delivery.queue == queues.RETRY,
            Delivery.system.in_(systems),
            Delivery.crashes.in_(_CRASHES),
            Delivery.due_at <= now,
            Delivery.lease.is_(None),
        )
        .limit(MOST)
        .subquery()
    )
    return c.execute(select(func.count()).select_from(few)).scalar_one()


def retry_oldest(c: Connection, systems: Mapping[str, Breaker]) -> int | None:
    """The earliest time (ms) at which a waiting retry was or will be due, held ones too."""
    rows = _first_due(c, list(systems), (queues.RETRY,), 1 << 62)
    return min((due_at for _, _, due_at in rows), default=None)
