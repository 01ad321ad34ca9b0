"""What the end of a delivery means for its event and its dead letter; counted as it is written."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import bindparam, insert, select, update

from app import counters
from app.counters import Count
from app.db import Tx, insert_missing
from app.deliveries.models import (
    FAILED,
    OPEN,
    RESOLVED,
    RETRYING,
    SENT,
    Cause,
    DeadLetter,
    Delivery,
    is_now,
)
from app.deliveries.rules import cause
from app.events.models import PENDING, Event
from app.events.rules import status_of
from app.facts import DeliveriesDied, DeliveriesSent


class Death(NamedTuple):
    """A delivery given up: HTTP status, class, and the reason for people."""

    delivery_id: int
    status: int | None
    error_class: str
    reason: str


def conclude(tx: Tx, *, sent: Sequence[int] = (), deaths: Sequence[Death] = (), now: int) -> None:
    """End deliveries that are this transaction's to end; events and dead letters follow."""
    rows = _end(tx, sent, deaths, now)
    # Told before the events are settled: what follows may add to what an event waits for.
    if sent:
        tx.tell(DeliveriesSent(list(sent)))
    if deaths:
        tx.tell(DeliveriesDied([death.delivery_id for death in deaths]))
    ended: dict[int, Counter[str]] = defaultdict(Counter)
    for row in rows.values():
        ended[row.event_id][row.ended] += 1
    settle_events(tx, ended, now)
    revived = [row.id for row in rows.values() if row.asked_by and row.ended == SENT]
    move_dead_letters(tx, RETRYING, RESOLVED, revived, now, "hub")
    bury(tx, rows, deaths, now)


class Ended(NamedTuple):
    """A delivery that just ended, and its event's labels."""

    id: int
    event_id: int
    event_type: str
    source_system: str
    system: str
    queue: str
    attempts: int
    asked_by: str
    ended: str


def _end(tx: Tx, sent: Sequence[int], deaths: Sequence[Death], now: int) -> dict[int, Ended]:
    """Write the final states and count them."""
    dead = [death.delivery_id for death in deaths]
    for status, ids in ((SENT, list(sent)), (FAILED, dead)):
        if ids:
            tx.connection.execute(
                update(Delivery)
                .where(Delivery.id.in_(ids))
                .values(status=status, lease=None, probe=0, finished_at=now)
            )
    query = (
        select(
            Delivery.id, Delivery.event_id, Delivery.event_type, Event.source_system,
            Delivery.system, Delivery.queue, Delivery.attempts, Delivery.asked_by,
            Delivery.status,
        )
        .join(Event, Event.id == Delivery.event_id)
        .where(Delivery.id.in_([*sent, *dead]))
    )  # fmt: skip
    rows = {row.id: Ended(*row) for row in tx.connection.execute(query)}
    counts = []
    for row in rows.values():
        counts.append(Count("deliveries.waiting", row.queue, row.system, -1, gauge=True))
        counts.append(Count(f"deliveries.{row.ended}", row.event_type, row.system))
    counters.add(tx.connection, counts, now)
    return rows


def settle_events(tx: Tx, ended: Mapping[int, Counter[str]], now: int) -> None:
    """Take what ended (by its state) off its events, whose state follows from what is left."""
    query = (
        select(
            Event.id, Event.event_type, Event.source_system, Event.status, Event.open_count,
            Event.failed_count,
        )
        .where(Event.id.in_(list(ended)))
        .order_by(Event.id)
    )  # fmt: skip
    if tx.connection.dialect.name != "sqlite":
        query = query.with_for_update()
    updates, counts = [], []
    for event in tx.connection.execute(query):
        left = event.open_count - ended[event.id].total()
        failed = event.failed_count + ended[event.id][FAILED]
        status = status_of(left, failed)
        updates.append(
            {"key": event.id, "status": status, "open_count": left, "failed_count": failed,
             "finished_at": None if left else now}
        )  # fmt: skip
        counts += event_counts(event, status)
    write_events(tx, updates)
    counters.add(tx.connection, counts, now)


def event_counts(event: Any, status: str) -> list[Count]:
    """What an event's move to `status` adds to the counters."""
    labels = (event.event_type, event.source_system)
    counts = []
    if event.status == PENDING and status != PENDING:
        counts.append(Count("events.pending", *labels, -1, gauge=True))
    if status != event.status and status in ("done", "failed"):
        counts.append(Count(f"events.{status}", *labels))
    return counts


def write_events(tx: Tx, updates: list[dict[str, Any]]) -> None:
    """Write new states of events by id (`key`)."""
    if updates:
        values: dict[str, Any] = {n: bindparam(n) for n in updates[0] if n != "key"}
        statement = update(Event.__table__).where(Event.__table__.c.id == bindparam("key"))  # type: ignore[arg-type]
        tx.connection.execute(statement.values(**values), updates)


def bury(tx: Tx, rows: dict[int, Ended], deaths: Sequence[Death], now: int) -> None:
    """Open a dead letter for each death, or the one again that the delivery has already."""
    if not deaths:
        return
    letters = [_letter(rows[death.delivery_id], death, now) for death in deaths]
    insert_missing(tx.connection, Cause, _causes(letters, now))
    ids = [letter["delivery_id"] for letter in letters]
    there = set(
        tx.connection.scalars(select(DeadLetter.delivery_id).where(DeadLetter.delivery_id.in_(ids)))
    )
    fresh = [letter for letter in letters if letter["delivery_id"] not in there]
    if fresh:
        tx.connection.execute(insert(DeadLetter), fresh)
    for letter in letters:
        if letter["delivery_id"] in there:
            _reopen(tx, letter)
    counts = [c for letter in letters for c in _open_counts(letter, 1)]
    counts += [Count("dlq.added", letter["event_type"], letter["system"]) for letter in letters]
    counters.add(tx.connection, counts, now)


def _letter(row: Ended, death: Death, now: int) -> dict[str, Any]:
    return {
        "delivery_id": row.id,
        "event_id": row.event_id,
        "event_type": row.event_type,
        "source_system": row.source_system,
        "system": row.system,
        "state": OPEN,
        "cause": cause.key(row.system, death.status, death.error_class, death.reason),
        "error_class": death.error_class,
        "status": death.status,
        "reason": death.reason[:500],
        "attempts": row.attempts,
        "deaths": 1,
        "died_at": now,
        "changed_at": now,
        "changed_by": "hub",
        "note": "",
    }


def _causes(letters: Sequence[dict[str, Any]], now: int) -> list[dict[str, Any]]:
    """One row for each cause among the letters."""
    return list(
        {
            letter["cause"]: {
                "key": letter["cause"],
                "system": letter["system"],
                "status": letter["status"],
                "error_class": letter["error_class"],
                "message": cause.normalise(letter["reason"]),
                "first_at": now,
            }
            for letter in letters
        }.values()
    )


def _reopen(tx: Tx, letter: dict[str, Any]) -> None:
    """The delivery died again after a retry."""
    values = {key: value for key, value in letter.items() if key not in ("delivery_id", "deaths")}
    tx.connection.execute(
        update(DeadLetter)
        .where(DeadLetter.delivery_id == letter["delivery_id"])
        .values(**values, deaths=DeadLetter.deaths + 1)
    )


def _open_counts(letter: Any, n: int) -> list[Count]:
    """The gauges an open dead letter stands in."""
    row = letter if isinstance(letter, dict) else letter._mapping
    return [
        Count("dlq.open", row["event_type"], row["system"], n, gauge=True),
        Count("dlq.cause", row["cause"], row["system"], n, gauge=True),
    ]


def move_dead_letters(
    tx: Tx, before: str, after: str, delivery_ids: Sequence[int], now: int, by: str, note: str = ""
) -> list[Any]:
    """Move the dead letters that are in state `before`; the rows moved, as they were."""
    if not delivery_ids:
        return []
    query = (
        select(
            DeadLetter.id, DeadLetter.delivery_id, DeadLetter.event_id, DeadLetter.event_type,
            DeadLetter.system, DeadLetter.cause,
        )
        .where(DeadLetter.delivery_id.in_(list(delivery_ids)), is_now(before))
        .order_by(DeadLetter.id)
    )  # fmt: skip
    if tx.connection.dialect.name != "sqlite":
        query = query.with_for_update()
    rows = list(tx.connection.execute(query))
    if rows:
        values: dict[str, Any] = {"state": after, "changed_at": now, "changed_by": by[:120]}
        if note:
            values["note"] = note[:500]
        ids = [row.id for row in rows]
        tx.connection.execute(update(DeadLetter).where(DeadLetter.id.in_(ids)).values(**values))
    change = (after == OPEN) - (before == OPEN)
    if change:
        counters.add(tx.connection, [c for row in rows for c in _open_counts(row, change)], now)
    return rows
