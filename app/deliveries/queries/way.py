"""Reads of one event with everything that left the hub because of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import Connection

from app import pipeline
from app.deliveries.models import Attempt, DeadLetter, Delivery
from app.deliveries.rules.way import Step, way
from app.errors import NotFound
from app.events.models import Event
from app.paging import AnyRow

# A page does not get longer than this; the last ones are the ones that matter.
MOST_ATTEMPTS = 300
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
    # Steps of the automation that follows the event (name, label, state, note, due_at …).
    follows: Sequence[Any] = ()

    @property
    def named(self) -> dict[str, str]:
        """Label of each of those steps."""
        return {step.name: step.label for step in self.follows}

    @property
    def missing(self) -> int:
        """Systems that have not accepted it and would get it with a retry."""
        dead = sum(letter.state == "open" for letter in self.letters.values())
        return int(dead + sum(row.status == "pending" for row in self.deliveries))


def event_way(c: Connection, event_id: int) -> EventWay:
    """The event with its way through the hub; NotFound."""
    event = c.execute(select(Event.__table__).where(Event.id == event_id)).one_or_none()
    if event is None:
        raise NotFound("Event not found")
    deliveries = c.execute(
        select(*DELIVERY).where(Delivery.event_id == event_id).order_by(Delivery.id)
    ).all()
    letters = c.execute(select(DeadLetter.__table__).where(DeadLetter.event_id == event_id)).all()
    attempts = attempts_of(c, [row.id for row in deliveries])
    by_delivery = {row.delivery_id: row for row in letters}
    follows = pipeline.resolve(pipeline.STEPS_OF)(c, event_id)
    steps = way(event, deliveries, attempts, letters)
    return EventWay(event, deliveries, by_delivery, steps, follows)


def attempts_of(c: Connection, delivery_ids: Sequence[int]) -> Sequence[AnyRow]:
    """The last attempts of these deliveries, oldest first, each with its system."""
    query = (
        select(*Attempt.__table__.c, Delivery.system)
        .join(Delivery, Delivery.id == Attempt.delivery_id)
        .where(Attempt.delivery_id.in_(list(delivery_ids)))
        .order_by(Attempt.id.desc())
        .limit(MOST_ATTEMPTS)
    )
    return c.execute(query).all()[::-1]
