"""Intake: events and their plans in one durable transaction; nothing slow happens here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert, select, tuple_
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from app import clock, counters
from app.counters import Count
from app.db import Tx, ids_within, new_ids, transaction
from app.errors import Conflict
from app.events.actions.committer import Committer
from app.events.models import PENDING, Event
from app.events.rules import Accepted, NewEvent
from app.facts import AcceptedEvent, EventsAccepted

Outcome = Accepted | Conflict
Key = tuple[str, str]
RACES = 5


def accept(events: Sequence[NewEvent]) -> list[Outcome]:
    """Store events and their plans; a repeat gives the first one back, a clash a Conflict.

    Committed and synced when this returns. Raises OperationalError with nothing written.
    """
    for _ in range(RACES):
        try:
            return _accept_once(events)
        except IntegrityError:
            # Another process stored one of the keys between our look and our insert: look again.
            continue
    return _accept_once(events)


def _accept_once(events: Sequence[NewEvent]) -> list[Outcome]:
    ids = new_ids("events", len(events))
    with transaction() as tx:
        return _accept(tx, events, ids)


def accept_within(tx: Tx, events: Sequence[NewEvent]) -> list[Outcome]:
    """Store events that follow from others, in the transaction of what they follow from."""
    return _accept(tx, events, ids_within(tx.connection, "events", len(events)))


def _accept(tx: Tx, events: Sequence[NewEvent], ids: Sequence[int]) -> list[Outcome]:
    now = clock.now()
    known = _known(tx.connection, events)
    fresh: list[tuple[int, NewEvent, str]] = []
    outcomes: list[Outcome] = []
    for id_, event in zip(ids, events, strict=True):
        fingerprint = event.fingerprint
        key = (event.source_system, event.idempotency_key or "")
        if event.idempotency_key and key in known:
            outcomes.append(_repeat(known[key], fingerprint))
            continue
        accepted = Accepted(id_, event.event_type, event.source_system, PENDING, now)
        if event.idempotency_key:
            known[key] = (accepted, fingerprint)
        fresh.append((id_, event, fingerprint))
        outcomes.append(accepted)
    if fresh:
        _store(tx.connection, fresh, now)
        tx.tell(EventsAccepted([_told(id_, event, now) for id_, event, _ in fresh]))
    return outcomes


def _known(c: Connection, events: Sequence[NewEvent]) -> dict[Key, tuple[Accepted, str]]:
    """Events already stored under one of the keys, with their fingerprints."""
    keys = {(e.source_system, e.idempotency_key) for e in events if e.idempotency_key}
    if not keys:
        return {}
    columns = (Event.source_system, Event.idempotency_key)
    query = select(
        Event.id, Event.event_type, Event.status, Event.created_at, Event.fingerprint, *columns
    ).where(tuple_(*columns).in_(sorted(keys)))
    return {
        (row.source_system, row.idempotency_key): (
            Accepted(row.id, row.event_type, row.source_system, row.status, row.created_at, True),
            row.fingerprint,
        )
        for row in c.execute(query)
    }


def _repeat(known: tuple[Accepted, str], fingerprint: str) -> Outcome:
    """The event stored under the key, or a Conflict when its content differs."""
    accepted, stored = known
    if stored != fingerprint:
        return Conflict("Idempotency key already used with another body")
    return Accepted(
        accepted.id,
        accepted.event_type,
        accepted.source_system,
        accepted.status,
        accepted.created_at,
        True,
    )


def _told(id_: int, event: NewEvent, now: int) -> AcceptedEvent:
    return AcceptedEvent(id_, event.event_type, event.source_system, event.payload, now)


def _row(id_: int, event: NewEvent, fingerprint: str, now: int) -> dict[str, Any]:
    return {
        "id": id_,
        "event_type": event.event_type,
        "source_system": event.source_system,
        "status": PENDING,
        "idempotency_key": event.idempotency_key,
        "fingerprint": fingerprint,
        "payload": event.payload_json,
        "raw": event.raw,
        "received_via": event.received_via,
        "verified": event.verified,
        "planned": False,
        "plan_failures": 0,
        "open_count": 0,
        "failed_count": 0,
        "created_at": now,
        "finished_at": None,
    }


def _store(c: Connection, fresh: Sequence[tuple[int, NewEvent, str]], now: int) -> None:
    """Insert the rows and count them."""
    c.execute(insert(Event), [_row(*one, now) for one in fresh])
    counts = [Count("events.accepted", e.event_type, e.source_system) for _, e, _ in fresh]
    counts += [
        Count("events.pending", e.event_type, e.source_system, gauge=True) for _, e, _ in fresh
    ]
    counters.add(c, counts, now)


_committer: Committer[NewEvent, Outcome] = Committer(
    accept, common=(OperationalError, PoolTimeoutError)
)


def submit(event: NewEvent) -> Accepted:
    """Store one event together with what arrives at the same moment; Conflict for a clash."""
    outcome = _committer.submit(event)
    if isinstance(outcome, Conflict):
        raise outcome
    return outcome
