"""Record: a batch of outcomes in one transaction, written only where the lease is still ours."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import bindparam, insert, select, update

from app import counters, queues
from app.counters import Count
from app.db import Tx, transaction
from app.deliveries.actions.claim import Claimed
from app.deliveries.actions.conclude import Death, conclude, event_counts
from app.deliveries.models import PENDING, Attempt, Delivery
from app.deliveries.rules import retry
from app.deliveries.rules.retry import Policy, Verdict
from app.events.models import PENDING as EVENT_PENDING
from app.events.models import PROCESSING, Event
from app.facts import DeliveriesRetried
from app.systems.actions import breakers
from app.systems.rules.breaker import Limits, Outcome


class Tried(NamedTuple):
    """One attempt that ended; `status` and `error_class` as in http.Answer, times in ms."""

    row: Claimed
    url: str
    started_at: int
    latency_ms: int
    status: int | None
    error_class: str
    error: str
    request_headers: Mapping[str, str]
    response_body: bytes
    retry_after: float | None
    settled: bool = False
    output: str | None = None


Judged = tuple[Tried, Verdict]


def record(tries: Sequence[Tried], policy: Policy, limits: Limits, worker: str, now: int) -> int:
    """Write attempts, states, counters and breakers; how many were still ours to write."""
    chances = _chances(len(tries))
    judged = [(t, _judge(t, policy, now, c)) for t, c in zip(tries, chances, strict=True)]
    with transaction(durable=False) as tx:
        held = _held(tx, tries)
        ours = [(tried, verdict) for tried, verdict in judged if tried.row.id in held]
        if not ours:
            return 0
        tx.connection.execute(
            insert(Attempt), [_attempt(tried, verdict, worker) for tried, verdict in ours]
        )
        _update_deliveries(tx, ours, now)
        _lock_events(tx, [tried.row.event_id for tried, _ in ours])
        _touch_events(tx, [t.row.event_id for t, v in ours if v.kind == retry.RETRY], now)
        if again := [tried.row.id for tried, verdict in ours if verdict.kind == retry.RETRY]:
            tx.tell(DeliveriesRetried(again))
        conclude(
            tx,
            sent=[tried.row.id for tried, verdict in ours if verdict.kind == retry.SENT],
            deaths=[_death(*one) for one in ours if one[1].kind == retry.DEAD],
            now=now,
        )
        breakers.record(tx, _outcomes(ours), limits, now)
    return len(ours)


def _chances(count: int) -> list[float]:
    """Chances spread evenly over what failed together, so that it does not come back together."""
    # They only spread load; nothing secret hangs on them.
    found = [(n + random.random()) / count for n in range(count)]  # noqa: S311
    random.shuffle(found)
    return found


def _judge(tried: Tried, policy: Policy, now: int, chance: float) -> Verdict:
    if tried.settled:
        return Verdict(retry.SENT)
    attempt = tried.row.attempts - tried.row.attempts_before + 1
    return retry.decide(
        tried.status, tried.error_class, tried.retry_after, attempt, policy, now, chance
    )


def _held(tx: Tx, tries: Sequence[Tried]) -> set[int]:
    """Rows whose lease is still the one they were sent under."""
    leases = {tried.row.id: tried.row.lease for tried in tries}
    query = (
        select(Delivery.id, Delivery.lease)
        .where(Delivery.id.in_(sorted(leases)), Delivery.status == PENDING)
        .order_by(Delivery.id)
    )
    if tx.connection.dialect.name != "sqlite":
        query = query.with_for_update()
    return {row.id for row in tx.connection.execute(query) if row.lease == leases[row.id]}


def _attempt(tried: Tried, verdict: Verdict, worker: str) -> dict[str, Any]:
    return {
        "delivery_id": tried.row.id,
        "number": tried.row.attempts + 1,
        "url": tried.url[:500],
        "started_at": tried.started_at,
        "latency_ms": tried.latency_ms,
        "outcome": verdict.kind,
        "status": tried.status,
        "error_class": tried.error_class,
        "error": (tried.error or verdict.reason)[:500],
        "request_headers": json.dumps(dict(tried.request_headers)),
        "response_body": tried.response_body,
        "asked_by": tried.row.asked_by,
        "worker": worker,
    }


_RECORDED = (
    update(Delivery.__table__)  # type: ignore[arg-type]
    .where(Delivery.__table__.c.id == bindparam("key"))
    .values(
        {
            name: bindparam(f"new_{name}")
            for name in (
                "attempts", "crashes", "due_at", "set_at", "queue", "lease", "probe",
                "last_status", "last_error", "output",
            )
        }
    )
)  # fmt: skip


def _update_deliveries(tx: Tx, ours: Sequence[Judged], now: int) -> None:
    """Count the attempt; a retry waits on the queue for retries, without a lease."""
    rows, counts = [], []
    for tried, verdict in ours:
        again = verdict.kind == retry.RETRY
        rows.append(
            {
                "key": tried.row.id,
                "new_attempts": tried.row.attempts + 1,
                "new_crashes": 0,
                "new_due_at": verdict.due_at or now,
                "new_set_at": now,
                "new_queue": queues.RETRY if again else tried.row.queue,
                "new_lease": None,
                "new_probe": 0,
                "new_last_status": tried.status,
                "new_last_error": verdict.reason[:500],
                "new_output": tried.output,
            }
        )
        if again:
            counts += _retry_counts(tried.row)
    tx.connection.execute(_RECORDED, rows)
    counters.add(tx.connection, counts, now)


def _retry_counts(row: Claimed) -> list[Count]:
    """A failed attempt; its delivery waits with the retries from now on."""
    return [
        Count("deliveries.retried", row.event_type, row.system),
        Count("deliveries.waiting", row.queue, row.system, -1, gauge=True),
        Count("deliveries.waiting", queues.RETRY, row.system, gauge=True),
    ]


def _lock_events(tx: Tx, event_ids: Sequence[int]) -> None:
    """All events of the batch at once and in one order: two workers cannot wait for each other."""
    if tx.connection.dialect.name == "sqlite":
        return
    query = select(Event.id).where(Event.id.in_(sorted(set(event_ids)))).order_by(Event.id)
    tx.connection.execute(query.with_for_update())


def _touch_events(tx: Tx, event_ids: Sequence[int], now: int) -> None:
    """An event whose delivery is retried is being worked on, no longer untouched."""
    if not event_ids:
        return
    query = (
        select(Event.id, Event.event_type, Event.source_system, Event.status)
        .where(Event.id.in_(sorted(set(event_ids))), Event.status == EVENT_PENDING)
        .order_by(Event.id)
    )
    rows = list(tx.connection.execute(query))
    if not rows:
        return
    ids = [row.id for row in rows]
    tx.connection.execute(update(Event).where(Event.id.in_(ids)).values(status=PROCESSING))
    counters.add(tx.connection, [c for row in rows for c in event_counts(row, PROCESSING)], now)


def _death(tried: Tried, verdict: Verdict) -> Death:
    return Death(tried.row.id, tried.status, verdict.error_class, verdict.reason)


def _outcomes(ours: Sequence[Judged]) -> dict[str, list[tuple[Outcome, str]]]:
    """What the attempts say of their systems, in the order in which they ended."""
    told: dict[str, list[tuple[Outcome, str]]] = defaultdict(list)
    for tried, verdict in ours:
        bad = not tried.settled and retry.breaks(tried.status, tried.error_class)
        probe = tried.row.lease if tried.row.probe else None
        told[tried.row.system].append((Outcome(bad, probe), verdict.reason))
    return told
