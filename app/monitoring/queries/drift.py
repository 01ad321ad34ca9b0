"""Where a gauge differs from the rows it stands for; the only place that counts rows."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from app import counters
from app.db import db
from app.deliveries import models as deliveries
from app.deliveries.models import DeadLetter, Delivery
from app.events import models as events
from app.events.models import Event
from app.paging import AnySelect


@dataclass(frozen=True, slots=True)
class Drift:
    """A gauge that tells `kept` where the rows are `counted`."""

    metric: str
    a: str
    b: str
    kept: int
    counted: int


GAUGES: dict[str, AnySelect] = {
    "events.pending": select(Event.event_type, Event.source_system, func.count())
    .where(Event.status == events.PENDING)
    .group_by(Event.event_type, Event.source_system),
    "deliveries.waiting": select(Delivery.queue, Delivery.system, func.count())
    .where(Delivery.status == deliveries.PENDING)
    .group_by(Delivery.queue, Delivery.system),
    "dlq.open": select(DeadLetter.event_type, DeadLetter.system, func.count())
    .where(DeadLetter.state == deliveries.OPEN)
    .group_by(DeadLetter.event_type, DeadLetter.system),
    "dlq.cause": select(DeadLetter.cause, DeadLetter.system, func.count())
    .where(DeadLetter.state == deliveries.OPEN)
    .group_by(DeadLetter.cause, DeadLetter.system),
}


def find_drift() -> list[Drift]:
    """All gauges that are wrong, in one consistent view of rows, tallies and folded sums."""
    with db.engine.connect() as plain:
        c = plain
        if plain.dialect.name != "sqlite":
            # The default there sees each statement's own moment, and would find work as drift.
            c = plain.execution_options(isolation_level="REPEATABLE READ")
        return [drift for metric, query in GAUGES.items() for drift in _compare(c, metric, query)]


def _compare(c: Connection, metric: str, query: AnySelect) -> list[Drift]:
    kept = counters.gauges(c, metric)
    counted = {(a, b): int(n) for a, b, n in c.execute(query)}
    return [
        Drift(metric, a, b, kept.get((a, b), 0), counted.get((a, b), 0))
        for a, b in sorted(kept.keys() | counted.keys())
        if kept.get((a, b), 0) != counted.get((a, b), 0)
    ]
