"""Revive: dead letters become deliveries again; what still cannot be sent stays a dead letter."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import select, update

from app import clock, counters, queues
from app.counters import Count
from app.db import Tx
from app.deliveries.actions.conclude import move_dead_letters
from app.deliveries.actions.plan import mapped, reread
from app.deliveries.models import OPEN, PENDING, RETRYING, DeadLetter, Delivery, is_now
from app.deliveries.rules import dead_letter as rules
from app.events.models import FAILED, PROCESSING, Event
from app.facts import AcceptedEvent, DeliveriesDue
from app.id_lists import among
from app.mappings.queries.plan import current_plan
from app.systems.queries.snapshot import active_endpoints

NO_ENDPOINT = "não há endereço ativo para receber; ative ou crie um endpoint"
NO_ROUTE = "não há rota ativa deste evento para o sistema"


class Moved(NamedTuple):
    """Dead letters that changed their state, and why others did not."""

    done: list[int]
    skipped: dict[int, str]


class Way(NamedTuple):
    """Where a delivery goes this time; `body` only when it was made anew."""

    endpoint_id: int | None
    body: bytes | None = None
    mapping_version: str = ""


def retry_dead_letters(
    tx: Tx, ids: Sequence[int], by: str, now: int, why: str | None = None
) -> Moved:
    """Send open dead letters again, from now on with a fresh allowance of attempts.

    Letters in another state are left alone: a second click finds nothing to do.
    """
    rows = _open(tx, ids)
    ways, skipped = _ways(tx, rows)
    going = [row for row in rows if row.id in ways]
    moved = [row.delivery_id for row in going]
    move_dead_letters(tx, OPEN, RETRYING, moved, now, by, why or "")
    _awaken(tx, going, by, now)
    _redirect(tx, going, ways)
    _reopen_events(tx, going)
    waiting = [Count("deliveries.waiting", queues.RETRY, r.system, gauge=True) for r in going]
    counters.add(tx.connection, waiting, now)
    if going:
        tx.tell(DeliveriesDue(frozenset({queues.RETRY})))
    return Moved([row.id for row in going], skipped)


def _open(tx: Tx, ids: Sequence[int]) -> Sequence[Any]:
    """The letters that are open, ours until the commit, with what a plan needs of them."""
    query = (
        select(
            DeadLetter.id, DeadLetter.delivery_id, DeadLetter.event_id, DeadLetter.error_class,
            DeadLetter.event_type, DeadLetter.system, Delivery.kind, Delivery.endpoint_id,
            Delivery.attempts,
        )
        .join(Delivery, Delivery.id == DeadLetter.delivery_id)
        .where(among(DeadLetter.id, ids), is_now(OPEN))
        .order_by(DeadLetter.id)
    )  # fmt: skip
    if tx.connection.dialect.name != "sqlite":
        query = query.with_for_update(of=DeadLetter)
    return tx.connection.execute(query).all()


def _ways(tx: Tx, rows: Sequence[Any]) -> tuple[dict[int, Way], dict[int, str]]:
    """The way of each letter that has one, the reason for each that has none."""
    ways: dict[int, Way] = {}
    skipped: dict[int, str] = {}
    active = active_endpoints(tx.connection)
    events = _events(tx, [r for r in rows if rules.needs_mapping(r.error_class, r.attempts)])
    taken = _taken(tx, [r for r in rows if r.endpoint_id not in active.get(r.system, ())])
    for row in rows:
        found = _way(tx, row, active.get(row.system, ()), events, taken[row.event_id])
        if isinstance(found, Way):
            ways[row.id] = found
        else:
            skipped[row.id] = found
    return ways, skipped


def _events(tx: Tx, rows: Sequence[Any]) -> dict[int, AcceptedEvent]:
    """The events that have to be mapped once more."""
    if not rows:
        return {}
    query = select(
        Event.id, Event.event_type, Event.source_system, Event.payload, Event.created_at
    ).where(among(Event.id, {row.event_id for row in rows}))
    return {row.id: reread(row) for row in tx.connection.execute(query)}


def _taken(tx: Tx, rows: Sequence[Any]) -> dict[int, set[int]]:
    """Endpoints to which the events have a delivery already."""
    taken: dict[int, set[int]] = defaultdict(set)
    if rows:
        query = select(Delivery.event_id, Delivery.endpoint_id).where(
            among(Delivery.event_id, {row.event_id for row in rows})
        )
        for event_id, endpoint_id in tx.connection.execute(query):
            taken[event_id].add(endpoint_id or 0)
    return taken


def _way(
    tx: Tx, row: Any, active: tuple[int, ...], events: Mapping[int, AcceptedEvent], taken: set[int]
) -> Way | str:
    """Where this delivery can go today, or why it cannot."""
    if row.kind != "webhook":
        return Way(row.endpoint_id)
    endpoint = rules.address(row.endpoint_id, active, taken)
    if endpoint is None:
        return NO_ENDPOINT
    taken.add(endpoint)
    if row.event_id not in events or not rules.needs_mapping(row.error_class, row.attempts):
        return Way(endpoint)
    routes = current_plan(tx.connection).get(row.event_type, ())
    route = next((route for route in routes if route.system == row.system), None)
    if route is None:
        return NO_ROUTE
    body, problem = mapped(events[row.event_id], route)
    return problem or Way(endpoint, body, route.mapping_version or "")


def _awaken(tx: Tx, rows: Sequence[Any], by: str, now: int) -> None:
    """The deliveries wait on the queue for retries, due now, as if never tried."""
    if not rows:
        return
    tx.connection.execute(
        update(Delivery)
        .where(among(Delivery.id, [row.delivery_id for row in rows]))
        .values(
            status=PENDING, queue=queues.RETRY, due_at=now, set_at=now, lease=None, probe=0,
            crashes=0, attempts_before=Delivery.attempts, asked_by=by[:120], finished_at=None,
        )
    )  # fmt: skip


def _redirect(tx: Tx, rows: Sequence[Any], ways: Mapping[int, Way]) -> None:
    """Write what differs from the last time."""
    for row in rows:
        way = ways[row.id]
        values: dict[str, Any] = {}
        if way.endpoint_id != row.endpoint_id:
            values["endpoint_id"] = way.endpoint_id
        if way.body is not None:
            values |= {"body": way.body, "mapping_version": way.mapping_version}
        if values:
            same = Delivery.id == row.delivery_id
            tx.connection.execute(update(Delivery).where(same).values(**values))


def _reopen_events(tx: Tx, rows: Sequence[Any]) -> None:
    """The events wait for these deliveries once more; none of them is `pending` after a death."""
    again = Counter(row.event_id for row in rows)
    query = (
        select(
            Event.id, Event.event_type, Event.source_system, Event.status, Event.finished_at
        )
        .where(among(Event.id, again))
        .order_by(Event.id)
    )  # fmt: skip
    if tx.connection.dialect.name != "sqlite":
        query = query.with_for_update()
    _take_back_failures(tx, tx.connection.execute(query).all())
    by_count: dict[int, list[int]] = defaultdict(list)
    for event_id, count in again.items():
        by_count[count].append(event_id)
    for count, ids in by_count.items():
        tx.connection.execute(update(Event).where(among(Event.id, ids)).values(_reopened(count)))


def _reopened(count: int) -> dict[str, Any]:
    """New values of an event `count` of whose deliveries are on their way again."""
    return {
        "status": PROCESSING,
        "finished_at": None,
        "open_count": Event.open_count + count,
        "failed_count": Event.failed_count - count,
    }


def _take_back_failures(tx: Tx, events: Sequence[Any]) -> None:
    """What is retried has not failed: it leaves the failures of the minute it was counted in.

    Otherwise an outage would weigh on the error rate for a day after all of it was made good.
    """
    failed: dict[int, list[Count]] = defaultdict(list)
    for event in events:
        if event.status == FAILED and event.finished_at is not None:
            minute = event.finished_at - event.finished_at % clock.MINUTE
            count = Count("events.failed", event.event_type, event.source_system, -1)
            failed[minute].append(count)
    for minute, counts in failed.items():
        counters.add(tx.connection, counts, minute)
