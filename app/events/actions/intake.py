"""Intake: events and their plans in one durable transaction; nothing slow happens here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import bindparam, select, tuple_
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from app import clock, counters, pipeline
from app.access.queries import works
from app.counters import Count
from app.db import Tx, ids_within, insert_plain, new_ids, transaction
from app.errors import Conflict, Unauthenticated
from app.events.actions.committer import Committer
from app.events.models import PENDING, Event
from app.events.rules import Accepted, NewEvent
from app.facts import AcceptedEvent, EventsAccepted

Outcome = Accepted | Conflict
Key = tuple[str, str]

_KEY = (Event.source_system, Event.idempotency_key)
_KNOWN = select(
    Event.id, Event.event_type, Event.status, Event.created_at, Event.fingerprint, *_KEY
).where(tuple_(*_KEY).in_(bindparam("keys", expanding=True)))


def accept(events: Sequence[NewEvent]) -> list[Outcome]:
    """Store events and their plans; a repeat gives the first one back, a clash a Conflict.

    Committed and synced when this returns. Raises OperationalError with nothing written.
    """
    ids = new_ids("events", len(events))
    with transaction() as tx:
        return _accept(tx, events, ids)


def accept_within(tx: Tx, events: Sequence[NewEvent]) -> list[Outcome]:
    """Store events that follow from others, in the transaction of what they follow from."""
    return _accept(tx, events, ids_within(tx.connection, "events", len(events)))


def _accept(tx: Tx, events: Sequence[NewEvent], ids: Sequence[int]) -> list[Outcome]:
    now = clock.now()
    told = {id_: _told(id_, event, now) for id_, event in zip(ids, events, strict=True)}
    plans = pipeline.plans(tx.connection, list(told.values()))
    rows = [_row(id_, e, plans.get(id_), now) for id_, e in zip(ids, events, strict=True)]
    # In one order everywhere, so that two batches with the same keys never wait for each other.
    rows.sort(key=_order)
    new = insert_plain(tx.connection, Event, rows, ("source_system", "idempotency_key"))
    known = {} if new == len(rows) else _known(tx.connection, events)
    outcomes = [_outcome(id_, e, known, now) for id_, e in zip(ids, events, strict=True)]
    fresh = [told[o.id] for o in outcomes if isinstance(o, Accepted) and not o.repeat]
    if len(fresh) != new:
        raise LookupError("the number of an event was taken")
    if fresh:
        counters.add(tx.connection, _counts(fresh), now)
        tx.tell(EventsAccepted(fresh, plans))
    return outcomes


def _order(row: dict[str, Any]) -> Key:
    return row["source_system"], row["idempotency_key"] or ""


def _known(c: Connection, events: Sequence[NewEvent]) -> dict[Key, tuple[Accepted, str]]:
    """Events stored under one of the keys (ours too), with their fingerprints."""
    keys = {(e.source_system, e.idempotency_key) for e in events if e.idempotency_key}
    return {
        (row.source_system, row.idempotency_key): (
            Accepted(row.id, row.event_type, row.source_system, row.status, row.created_at, True),
            row.fingerprint,
        )
        for row in c.execute(_KNOWN, {"keys": sorted(keys)})
    }


def _outcome(
    id_: int, event: NewEvent, known: dict[Key, tuple[Accepted, str]], now: int
) -> Outcome:
    """The new event; the one that had its key before, or a Conflict when its content differs."""
    first, fingerprint = known.get((event.source_system, event.idempotency_key or ""), (None, ""))
    if first is None or first.id == id_:
        return Accepted(id_, event.event_type, event.source_system, PENDING, now)
    if not event.equals(fingerprint):
        return Conflict("Idempotency key already used with another body")
    return first


def _told(id_: int, event: NewEvent, now: int) -> AcceptedEvent:
    return AcceptedEvent(id_, event.event_type, event.source_system, event.payload, now)


def _row(id_: int, event: NewEvent, plan: Sequence[Any] | None, now: int) -> dict[str, Any]:
    """The event as it is stored; without a plan it waits for the sweep."""
    return {
        "id": id_,
        "event_type": event.event_type,
        "source_system": event.source_system,
        "status": PENDING,
        "idempotency_key": event.idempotency_key,
        "fingerprint": event.fingerprint,
        "payload": event.payload_json,
        "raw": event.raw,
        "received_via": event.received_via,
        "verified": event.verified,
        "planned": plan is not None,
        "plan_failures": 0,
        "open_count": len(plan or ()),
        "failed_count": 0,
        "created_at": now,
        "finished_at": None,
    }


def _counts(fresh: Sequence[AcceptedEvent]) -> list[Count]:
    """What came, and what has not come through yet."""
    counts = []
    for labels, n in Counter((e.event_type, e.source_system) for e in fresh).items():
        counts.append(Count("events.accepted", *labels, n))
        counts.append(Count("events.pending", *labels, n, gauge=True))
    return counts


class Waiting(NamedTuple):
    """An event that waits to be written; refused if the key it came with has ended since."""

    event: NewEvent
    key_id: int | None


def _write(waiting: Sequence[Waiting]) -> list[Outcome | Unauthenticated]:
    """Store what arrived together."""
    ids = new_ids("events", len(waiting))
    with transaction() as tx:
        keys = {one.key_id for one in waiting if one.key_id is not None}
        gone = {key for key in keys if not works(tx.connection, key, clock.now())}
        events = [one.event for one in waiting if one.key_id not in gone]
        outcomes = iter(_accept(tx, events, ids[: len(events)]))
        return [
            Unauthenticated("Invalid API key") if one.key_id in gone else next(outcomes)
            for one in waiting
        ]


_committer: Committer[Waiting, Outcome | Unauthenticated] = Committer(
    _write, common=(OperationalError, PoolTimeoutError)
)


def submit(event: NewEvent, key_id: int | None = None) -> Accepted:
    """Store one event together with what arrives at the same moment; Conflict for a clash.

    Unauthenticated: the key is asked about once more where it counts, at the commit.
    """
    outcome = _committer.submit(Waiting(event, key_id))
    if not isinstance(outcome, Accepted):
        raise outcome
    return outcome
