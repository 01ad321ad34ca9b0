"""Followers: events begin automations, ended deliveries move them on, the clock wakes them."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import aliased

from app import clock
from app.automations.actions.advance import advance, context_of
from app.automations.actions.steps import Steps, read, write_new
from app.automations.models import (
    DONE,
    FAILED,
    HELD,
    AutomationStep,
    LaneHolder,
    RatedService,
)
from app.automations.queries import active_flows
from app.automations.rules.flows import BY_NAME, BY_TYPE
from app.db import Tx, insert_missing, reading, transaction
from app.deliveries.actions.plan import reread
from app.events.models import Event
from app.facts import AcceptedEvent, DeliveriesDied, DeliveriesSent, EventsAccepted

AT_ONCE = 100
# Further ahead than clocks of healthy machines differ, ms.
SKEW_MS = 5 * clock.SECOND
FEEDBACK = "feedback.received"

log = logging.getLogger(__name__)


def begin(tx: Tx, fact: EventsAccepted) -> None:
    """Follower of EventsAccepted: the steps of each event, and those that can start at once."""
    now = clock.now()
    for event in fact.events:
        if not isinstance(event.payload, dict):
            continue
        if event.event_type == FEEDBACK:
            _note_rating(tx, event)
        flow = BY_TYPE.get(event.event_type)
        if flow is not None and flow.name in active_flows(tx.connection):
            write_new(tx, event, flow, context_of(event, now), now)
            advance(tx, Steps(tx, event, flow, read(tx, event.id)), now)


def sent(tx: Tx, fact: DeliveriesSent) -> None:
    """Follower of DeliveriesSent: the step is done, the next ones may start."""
    _move(tx, fact.ids, DONE)


def died(tx: Tx, fact: DeliveriesDied) -> None:
    """Follower of DeliveriesDied: what needs the step waits until somebody sends it again."""
    _move(tx, fact.ids, FAILED)


def _move(tx: Tx, delivery_ids: Sequence[int], state: str) -> None:
    ids = list(delivery_ids)
    query = select(AutomationStep.id, AutomationStep.event_id).where(
        AutomationStep.delivery_id.in_(ids)
    )
    rows = tx.connection.execute(query).all()
    if not rows:
        return
    now = clock.now()
    tx.connection.execute(
        update(AutomationStep)
        .where(AutomationStep.id.in_([row.id for row in rows]))
        .values(state=state, finished_at=now)
    )
    for event_id in sorted({row.event_id for row in rows}):
        advance_event(tx, event_id, now)


def advance_event(tx: Tx, event_id: int, now: int) -> None:
    """Start what can start of an event's steps."""
    rows = read(tx, event_id)
    event = _event(tx, event_id)
    flow = BY_NAME.get(rows[0].flow) if rows else None
    if event is not None and flow is not None:
        advance(tx, Steps(tx, event, flow, rows), now)


def _event(tx: Tx, event_id: int) -> AcceptedEvent | None:
    columns = (Event.id, Event.event_type, Event.source_system, Event.payload, Event.created_at)
    row = tx.connection.execute(select(*columns).where(Event.id == event_id)).one_or_none()
    return reread(row) if row else None


def wake() -> None:
    """The clock's part: start the steps whose time has come and whose lane is free."""
    now = clock.now()
    for event_id in _due(now):
        try:
            with transaction(durable=False) as tx:
                advance_event(tx, event_id, now)
        except Exception:
            # One event's trouble must not keep the others waiting.
            log.exception("the steps of event %s could not be moved on", event_id)


def _due(now: int) -> list[int]:
    """Events with a held step that may start, the oldest first, one a lane."""
    taken = aliased(LaneHolder)
    others = select(taken.lane).where(
        taken.lane == AutomationStep.lane, taken.event_id != AutomationStep.event_id
    )
    # Whoever waits for a lane waits for no time: a clock wrote it that has stepped back since.
    from_the_future = and_(AutomationStep.lane.is_not(None), AutomationStep.due_at > now + SKEW_MS)
    query = (
        select(AutomationStep.event_id)
        .where(
            AutomationStep.state == HELD,
            or_(AutomationStep.due_at <= now, from_the_future),
            or_(AutomationStep.lane.is_(None), ~others.exists()),
        )
        .order_by(AutomationStep.due_at, AutomationStep.id)
        .limit(AT_ONCE)
    )
    with reading() as c:
        return list(dict.fromkeys(c.scalars(query)))


def _note_rating(tx: Tx, event: AcceptedEvent) -> None:
    """Remember that an opinion on this service has come: nobody asks for it again."""
    service_id = event.payload.get("service_id")
    if service_id in (None, ""):
        return
    rating = event.payload.get("rating")
    is_number = isinstance(rating, int) and not isinstance(rating, bool)
    row = {
        "service_id": str(service_id)[:80],
        "rating": rating if is_number and 0 <= rating <= 10 else None,
        "at": event.created_at,
    }
    insert_missing(tx.connection, RatedService, [row])
