"""Reads of one event with everything that left the hub because of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.engine import Connection

from app import pipeline
from app.deliveries.models import OPEN, SENT, Attempt, DeadLetter, Delivery, is_now
from app.deliveries.rules.way import Step, way
from app.errors import NotFound
from app.events.models import Event
from app.paging import AnyRow

# A page does not get longer than this; the last ones are the ones that matter.
MOST_ATTEMPTS = 300
MOST_DELIVERIES = 200
DELIVERY = (
    Delivery.id,
    Delivery.system,
    Delivery.kind,
    Delivery.step,
    Delivery.status,
    Delivery.attempts,
    Delivery.due_at,
    Delivery.lease,
    Delivery.mapping_version,
    Delivery.created_at,
    Delivery.finished_at,
    Delivery.last_error,
)


@dataclass(frozen=True, slots=True)
class EventWay:
    """An event, its deliveries and all that happened, in order of time."""

    event: AnyRow
    deliveries: Sequence[AnyRow]
    letters: dict[int, AnyRow]
    steps: Sequence[Step]
    # All of its deliveries, of which `deliveries` are the first, those not accepted before others.
    total: int
    open_letters: int
    # Steps of the automation that follows the event (name, label, state, note, due_at …).
    follows: Sequence[Any] = ()

    @property
    def named(self) -> dict[str, str]:
        """Label of each of those steps."""
        return {step.name: step.label for step in self.follows}

    @property
    def destinations(self) -> list[Any]:
        """Deliveries but for those that are a step of the automation, which says more of them."""
        named = self.named
        return [row for row in self.deliveries if row.step not in named]

    @property
    def missing(self) -> int:
        """Systems that have not accepted it and would get it with a retry."""
        return int(self.open_letters + self.event.open_count)


def event_way(c: Connection, event_id: int) -> EventWay:
    """The event with its way through the hub; NotFound."""
    event = c.execute(select(Event.__table__).where(Event.id == event_id)).one_or_none()
    if event is None:
        raise NotFound("Event not found")
    deliveries = _deliveries(c, event_id)
    ids = [row.id for row in deliveries]
    letters = c.execute(select(DeadLetter.__table__).where(DeadLetter.delivery_id.in_(ids))).all()
    attempts = attempts_of(c, ids)
    by_delivery = {row.delivery_id: row for row in letters}
    follows = pipeline.resolve(pipeline.STEPS_OF)(c, event_id)
    steps = way(event, deliveries, attempts, letters)
    total = _count(c, Delivery, Delivery.event_id == event_id)
    dead = _count(c, DeadLetter, DeadLetter.event_id == event_id, is_now(OPEN))
    return EventWay(event, deliveries, by_delivery, steps, total, dead, follows)


def _deliveries(c: Connection, event_id: int) -> list[AnyRow]:
    """In the order in which they were written; of very many those that want somebody's eye."""
    query = select(*DELIVERY).where(Delivery.event_id == event_id)
    calm = case((Delivery.status == SENT, 1), else_=0)
    rows = c.execute(query.order_by(calm, Delivery.id).limit(MOST_DELIVERIES)).all()
    return sorted(rows, key=lambda row: row.id)


def _count(c: Connection, model: type[Delivery | DeadLetter], *where: Any) -> int:
    return int(c.execute(select(func.count()).select_from(model).where(*where)).scalar_one())


def attempts_of(c: Connection, delivery_ids: Sequence[int]) -> Sequence[AnyRow]:
    """The last attempts of these deliveries, oldest first, each with its system."""
    query = (
        select(*Attempt.__table__.c, Delivery.system, Delivery.step)
        .join(Delivery, Delivery.id == Attempt.delivery_id)
        .where(Attempt.delivery_id.in_(list(delivery_ids)))
        .order_by(Attempt.id.desc())
        .limit(MOST_ATTEMPTS)
    )
    return c.execute(query).all()[::-1]
