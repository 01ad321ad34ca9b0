"""Who works, on what, and which orders of more workers there are and were."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from app.deliveries.models import Delivery
from app.monitoring.models import ScaleOrder
from app.paging import AnyRow


def in_flight(c: Connection) -> Mapping[str, dict[str, int]]:
    """Per queue: deliveries that workers hold now, by system."""
    query = (
        select(Delivery.queue, Delivery.system, func.count())
        .where(Delivery.lease.is_not(None))
        .group_by(Delivery.queue, Delivery.system)
    )
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for queue, system, n in c.execute(query):
        found[queue][system] = n
    return found


def running_orders(c: Connection) -> dict[str, AnyRow]:
    """Orders that run, by line."""
    query = select(ScaleOrder.__table__).where(ScaleOrder.active_key.is_not(None))
    return {row.line: row for row in c.execute(query)}


def past_orders(c: Connection, count: int = 20) -> Sequence[AnyRow]:
    """Orders that are over, the last first."""
    query = select(ScaleOrder.__table__).where(ScaleOrder.active_key.is_(None))
    return c.execute(query.order_by(ScaleOrder.id.desc()).limit(count)).all()
