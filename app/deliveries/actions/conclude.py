"""What the end of a delivery means for its event and its dead letter; counted as it is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import bindparam, insert, select, update

from app import counters
from app.counters import Count
from app.db import Tx, insert_missing, update_plain
from app.deliveries.models import (
    FAILED,
    OPEN,
    RESOLVED,
    RETRYING,
    SENT,
    WEBHOOK,
    Cause,
    DeadLetter,
    Delivery,
    is_now,
)
from app.deliveries.rules import cause
from app.events.models import PENDING, Event
from app.events.rules import status_of
from app.facts import DeliveriesDied, DeliveriesSent
from app.id_lists import among


class Death(NamedTuple):
    """A delivery given up: HTTP status, class, and the reason for people."""

    delivery_id: int
    status: int | None
    error_class: str
    reason: str


class Ended(NamedTuple):
    """A delivery that just ended in state `ended`."""

    id: int
    event_id: int
    event_type: str
    kind: str
    system: str
    queue: str
    attempts: int
    asked_by: str
    ended: str


def conclude(tx: Tx, *, sent: Sequence[int] = (), deaths: Sequence[Death] = (), now: int) -> None:
    """End deliveries that are this transaction's to end; events and dead letters follow."""
    follow(tx, _end(tx, sent, deaths, now), deaths, now)


def follow(
    tx: Tx, rows: Sequence[Ended], deaths: Sequence[Death], now: int, begun: Sequence[int] = ()
) -> None:
    """What follows from deliveries that have ended; `begun`: events that are being worked on."""
    _tell(tx, rows)
    ended: dict[int, list[str]] = {event_id: [] for event_id in begun}
    for row in rows:
        ended.setdefault(row.event_id, []).append(row.ended)
    events, counts = _settle(tx, ended, now)
    counters.add(tx.connection, [*_end_counts(rows), *counts], now)
    revived = [row.id for row in rows if row.asked_by and row.ended == SENT]
    move_dead_letters(tx, RETRYING, RESOLVED, revived, now, "hub")
    if deaths:
        by_id = {row.id: row for row in rows}
        bury(tx, [_letter(by_id[d.delivery_id], events, d, now) for d in deaths], now)


def _tell(tx: Tx, rows: Sequence[Ended]) -> None:
    """Say what ended that somebody waits for; nobody waits for what routes send.

    Told before the events are settled: what follows may add to what an event waits for.
    """
    awaited = [row for row in rows if row.kind != WEBHOOK]
    if not awaited:
        return
    lock_events(tx, [row.event_id for row in rows])
    if sent := [row.id for row in awaited if row.ended == SENT]:
        tx.tell(DeliveriesSent(sent))
    if died := [row.id for row in awaited if row.ended == FAILED]:
        tx.tell(DeliveriesDied(died))


def lock_events(tx: Tx, event_ids: Sequence[int]) -> None:
    """All events of the batch at once and in one order: two workers cannot wait for each other."""
    if tx.connection.dialect.name == "sqlite":
        return
    query = select(Event.id).where(Event.id.in_(sorted(set(event_ids)))).order_by(Event.id)
    tx.connection.execute(query.with_for_update())


def _end(tx: Tx, sent: Sequence[int], deaths: Sequence[Death], now: int) -> list[Ended]:
    """Write the final states."""
    dead = [death.delivery_id for death in deaths]
    for status, ids in ((SENT, list(sent)), (FAILED, dead)):
        if ids:
            tx.connection.execute(
                update(Delivery)
                .where(Delivery.id.in_(ids))
                .values(status=status, lease=None, probe=0, finished_at=now)
            )
    query = select(
        Delivery.id, Delivery.event_id, Delivery.event_type, Delivery.kind, Delivery.system,
        Delivery.queue, Delivery.attempts, Delivery.asked_by, Delivery.status,
    ).where(Delivery.id.in_([*sent, *dead]))  # fmt: skip
    return [Ended(*row) for row in tx.connection.execute(query)]


def _end_counts(rows: Sequence[Ended]) -> list[Count]:
    """They wait no longer, and came out so."""
    left = Counter((row.queue, row.system) for row in rows)
    came = Counter((row.ended, row.event_type, row.system) for row in rows)
    return [
        *(
            Count("deliveries.waiting", queue, system, -n, gauge=True)
            for (queue, system), n in left.items()
        ),
        *(
            Count(f"deliveries.{ended}", kind, system, n)
            for (ended, kind, system), n in came.items()
        ),
    ]


def settle_events(tx: Tx, ended: Mapping[int, Sequence[str]], now: int) -> None:
    """Take what ended (its states) off its events, whose state follows from what is left."""
    _, counts = _settle(tx, ended, now)
    counters.add(tx.connection, counts, now)


def _settle(
    tx: Tx, ended: Mapping[int, Sequence[str]], now: int
) -> tuple[dict[int, Any], list[Count]]:
    """The events as they were, and what is to be counted."""
    query = _EVENTS if tx.connection.dialect.name == "sqlite" else _EVENTS.with_for_update()
    rows = tx.connection.execute(query, {"ids": list(ended)}).all()
    updates: list[dict[str, Any]] = []
    moves: Counter[tuple[str, str, str, str]] = Counter()
    for id_, kind, source, before, open_count, failed_count in rows:
        of_event = ended[id_]
        left = open_count - len(of_event)
        failed = failed_count + of_event.count(FAILED)
        status = status_of(left, failed)
        if of_event or status != before:
            updates.append(
                {"id": id_, "status": status, "open_count": left, "failed_count": failed,
                 "finished_at": None if left else now}
            )  # fmt: skip
        if status != before:
            moves[kind, source, before, status] += 1
    update_plain(tx.connection, Event, updates)
    return {row[0]: row for row in rows}, _event_counts(moves)


# Built once: whoever waits for the outcome of many deliveries waits for this.
_EVENTS = (
    select(
        Event.id, Event.event_type, Event.source_system, Event.status, Event.open_count,
        Event.failed_count,
    )
    .where(Event.id.in_(bindparam("ids", expanding=True)))
    .order_by(Event.id)
)  # fmt: skip


def _event_counts(moves: Mapping[tuple[str, str, str, str], int]) -> list[Count]:
    """What moves of events (type, source, from, to) add to the counters."""
    counts = []
    for (kind, source, before, after), n in moves.items():
        if before == PENDING:
            counts.append(Count("events.pending", kind, source, -n, gauge=True))
        if after in ("done", "failed"):
            counts.append(Count(f"events.{after}", kind, source, n))
    return counts


def bury(tx: Tx, letters: Sequence[dict[str, Any]], now: int) -> None:
    """Open a dead letter for each death, or the one again that the delivery has already."""
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
    counts = _open_counts(((x["event_type"], x["system"], x["cause"]) for x in letters), 1)
    counts += [Count("dlq.added", letter["event_type"], letter["system"]) for letter in letters]
    counters.add(tx.connection, counts, now)


def _letter(row: Ended, events: Mapping[int, Any], death: Death, now: int) -> dict[str, Any]:
    return {
        "delivery_id": row.id,
        "event_id": row.event_id,
        "event_type": row.event_type,
        "source_system": events[row.event_id].source_system,
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


def _open_counts(kinds: Iterable[tuple[str, str, str]], each: int) -> list[Count]:
    """The gauges of open letters, each an (event type, system, cause) that counts `each`."""
    counts: list[Count] = []
    for (event_type, system, cause_key), n in Counter(kinds).items():
        counts.append(Count("dlq.open", event_type, system, n * each, gauge=True))
        counts.append(Count("dlq.cause", cause_key, system, n * each, gauge=True))
    return counts


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
        .where(among(DeadLetter.delivery_id, delivery_ids), is_now(before))
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
        tx.connection.execute(update(DeadLetter).where(among(DeadLetter.id, ids)).values(**values))
    change = (after == OPEN) - (before == OPEN)
    if change:
        kinds = ((row.event_type, row.system, row.cause) for row in rows)
        counters.add(tx.connection, _open_counts(kinds, change), now)
    return rows
