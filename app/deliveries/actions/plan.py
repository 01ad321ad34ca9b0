"""Plan: from an accepted event to its deliveries, in the transaction that accepts it."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import insert, select, update
from sqlalchemy.engine import Connection

from app import clock, counters, queues
from app.counters import Count
from app.db import Tx, insert_plain, transaction
from app.deliveries.actions.conclude import Death, conclude
from app.deliveries.models import FRESH, WEBHOOK, Delivery
from app.deliveries.rules import retry
from app.errors import Invalid
from app.events.models import DONE, Event
from app.facts import AcceptedEvent, DeliveriesDue, EventsAccepted, EventsPending
from app.mappings.queries.plan import Destination, Plan, current_plan
from app.payloads import dump_json, parse_json
from app.systems.queries.snapshot import active_endpoints

ANY_DEPTH = 1_000

log = logging.getLogger(__name__)


class Planned(NamedTuple):
    """A delivery to be; `error_class` when it is dead before it was ever sent."""

    event: AcceptedEvent
    system: str
    endpoint_id: int | None
    mapping_version: str
    body: bytes
    error_class: str = ""
    reason: str = ""


def plans(c: Connection, events: Sequence[AcceptedEvent]) -> dict[int, Sequence[Planned]]:
    """The deliveries of each event that can be planned now, by its id."""
    found: dict[int, Sequence[Planned]] = {}
    try:
        routes, endpoints = current_plan(c), active_endpoints(c)
    except Exception:
        # An event is worth more than its plan: it is kept, and planned again by the sweep.
        log.exception("%s events could not be planned", len(events))
        return found
    for event in events:
        try:
            found[event.id] = plan_one(event, routes, endpoints)
        except Exception:
            log.exception("event %s could not be planned", event.id)
    return found


def plan_accepted(tx: Tx, fact: EventsAccepted) -> None:
    """Follower of EventsAccepted: write the deliveries beside their events."""
    _write(tx, [event for event in fact.events if event.id in fact.plans], fact.plans)
    if left := [event.id for event in fact.events if event.id not in fact.plans]:
        tx.tell(EventsPending(left))


def plan_one(
    event: AcceptedEvent, routes: Plan, endpoints: Mapping[str, Sequence[int]]
) -> list[Planned]:
    """The deliveries of one event by today's routes, endpoints and mappings."""
    planned = []
    for route in routes.get(event.event_type, ()):
        body, reason = mapped(event, route)
        error_class = "mapping" if reason else ""
        addresses: Sequence[int | None] = endpoints.get(route.system, ())
        if not addresses:
            addresses, error_class = (None,), error_class or "no_endpoint"
        version = route.mapping_version or ""
        planned += [
            Planned(event, route.system, address, version, body, error_class, reason)
            for address in addresses
        ]
    return planned


def mapped(event: AcceptedEvent, route: Destination) -> tuple[bytes, str]:
    """The body with `_meta`, and what is wrong with the mapping ('' if nothing)."""
    meta = {
        "event_id": event.id,
        "event_type": event.event_type,
        "source_system": event.source_system,
        "timestamp": clock.iso(event.created_at),
    }
    try:
        shaped = route.shape(event.payload)
        content = shaped if isinstance(shaped, dict) else {"data": shaped}
        return dump_json({**content, "_meta": meta}), ""
    except Invalid as problem:
        return dump_json({"_meta": meta}), str(problem) or "mapping"
    except Exception as problem:
        # One destination's trouble is its own dead letter; the others get the event.
        log.exception("event %s could not be mapped for %s", event.id, route.system)
        return dump_json({"_meta": meta}), f"erro inesperado ({type(problem).__name__})"


def _write(tx: Tx, events: Sequence[AcceptedEvent], found: Mapping[int, Sequence[Planned]]) -> None:
    """Insert the deliveries, end the events that have none, bury what is dead already."""
    now = clock.now()
    planned = [plan for event in events for plan in found[event.id]]
    nowhere = _nowhere(tx.connection, [event for event in events if not found[event.id]])
    alive = [_row(plan, now) for plan in planned if not plan.error_class]
    insert_plain(tx.connection, Delivery, alive)
    counters.add(tx.connection, _counts(alive, nowhere), now)
    if nowhere:
        ids = [event.id for event in nowhere]
        ended = update(Event).where(Event.id.in_(ids)).values(status=DONE, finished_at=now)
        tx.connection.execute(ended)
    _bury_stillborn(tx, [plan for plan in planned if plan.error_class], now)
    if alive:
        tx.tell(DeliveriesDue(frozenset({queues.HIGH})))


def _nowhere(c: Connection, events: Sequence[AcceptedEvent]) -> list[AcceptedEvent]:
    """Of the events without a destination those for which nothing else leaves the hub either."""
    if not events:
        return []
    ids = [event.id for event in events]
    query = select(Event.id).where(Event.id.in_(ids), Event.open_count > 0)
    busy = set(c.scalars(query))
    return [event for event in events if event.id not in busy]


def _counts(alive: Sequence[dict[str, Any]], nowhere: Sequence[AcceptedEvent]) -> list[Count]:
    """What waits now, and which events have nowhere to go."""
    waiting = Counter((row["queue"], row["system"]) for row in alive)
    counts = [Count("deliveries.waiting", *one, n, gauge=True) for one, n in waiting.items()]
    for labels, n in Counter((e.event_type, e.source_system) for e in nowhere).items():
        counts.append(Count("events.pending", *labels, -n, gauge=True))
        counts.append(Count("events.done", *labels, n))
    return counts


def _bury_stillborn(tx: Tx, dead: Sequence[Planned], now: int) -> None:
    """Deliveries that cannot even be sent go to the dead letters with their reason."""
    deaths = []
    for plan in dead:
        row = _row(plan, now)
        made = tx.connection.execute(insert(Delivery).values(**row)).inserted_primary_key or (0,)
        waiting = Count("deliveries.waiting", row["queue"], row["system"], gauge=True)
        counters.add(tx.connection, [waiting], now)
        reason = retry.describe(None, plan.error_class)
        deaths.append(
            Death(made[0], None, plan.error_class, f"{reason}: {plan.reason}".rstrip(": "))
        )
    if deaths:
        conclude(tx, deaths=deaths, now=now)


def _row(plan: Planned, now: int) -> dict[str, Any]:
    return {
        **FRESH,
        "event_id": plan.event.id,
        "event_type": plan.event.event_type,
        "kind": WEBHOOK,
        "system": plan.system,
        "endpoint_id": plan.endpoint_id,
        "mapping_version": plan.mapping_version,
        "queue": queues.HIGH,
        "body": plan.body,
        "due_at": now,
        "set_at": now,
        "created_at": now,
    }


def _mark(c: Connection, found: Mapping[int, Sequence[Planned]]) -> None:
    """Events know how many deliveries they wait for; what automations added is counted already."""
    by_count: dict[int, list[int]] = defaultdict(list)
    for event_id, planned in found.items():
        by_count[len(planned)].append(event_id)
    for count, ids in by_count.items():
        more = Event.open_count + count
        c.execute(update(Event).where(Event.id.in_(ids)).values(planned=True, open_count=more))


def plan_pending(limit: int = 100) -> int:
    """Plan events that were stored without a plan (the sweep's part); how many have one now.

    Without an end: what keeps an event from being planned concerns the whole hub (a database, a
    key), and heals. Until then it shows as pending; those that never were tried go first.
    """
    with transaction(durable=False) as tx:
        query = (
            select(Event.id, Event.event_type, Event.source_system, Event.payload, Event.created_at)
            .where(Event.planned.is_(False))
            .order_by(Event.plan_failures, Event.id)
            .limit(limit)
        )
        if tx.connection.dialect.name != "sqlite":
            query = query.with_for_update(skip_locked=True)
        events = [reread(row) for row in tx.connection.execute(query)]
        found = plans(tx.connection, events)
        _mark(tx.connection, found)
        _write(tx, [event for event in events if event.id in found], found)
        if left := [event.id for event in events if event.id not in found]:
            _count_failure(tx.connection, left)
    return len(found)


def _count_failure(c: Connection, ids: Sequence[int]) -> None:
    """Let those that fail stand behind those that were not tried."""
    c.execute(update(Event).where(Event.id.in_(ids)).values(plan_failures=Event.plan_failures + 1))


def reread(row: Any) -> AcceptedEvent:
    """An event as it was accepted, from its row."""
    payload = parse_json(row.payload, ANY_DEPTH)
    return AcceptedEvent(row.id, row.event_type, row.source_system, payload, row.created_at)
