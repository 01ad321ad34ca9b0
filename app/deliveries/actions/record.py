"""Record: a batch of outcomes in one transaction, written only where the lease is still ours."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import bindparam, select

from app import counters, queues
from app.counters import Count
from app.db import Tx, insert_plain, transaction, update_plain
from app.deliveries.actions.claim import Claimed
from app.deliveries.actions.conclude import Death, Ended, follow, lock_events
from app.deliveries.models import FAILED, PENDING, SENT, WEBHOOK, Attempt, Delivery
from app.deliveries.rules import retry
from app.deliveries.rules.retry import Policy, Verdict
from app.facts import DeliveriesRetried
from app.payloads import dump_json
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


class Judged(NamedTuple):
    """An attempt, what follows from it, and the rows to write, made before the database is held."""

    tried: Tried
    verdict: Verdict
    attempt: dict[str, Any]
    state: dict[str, Any]


def record(
    tries: Sequence[Tried],
    policy: Policy,
    limits: Limits,
    worker: str,
    now: int,
    patient: bool = True,
) -> int:
    """Write attempts, states, counters and breakers; how many were still ours to write.

    Unless `patient`: Busy while somebody else writes.
    """
    chances = iter(_chances(sum(not _is_sent(tried) for tried in tries)))
    judged = [_judged(tried, policy, now, chances, worker) for tried in tries]
    with transaction(durable=False, patient=patient) as tx:
        held = _held(tx, tries)
        ours = [one for one in judged if (one.tried.row.id, one.tried.row.lease) in held]
        if not ours:
            return 0
        insert_plain(tx.connection, Attempt, [one.attempt for one in ours])
        ended = _update_deliveries(tx, ours, now)
        _tell_retried(tx, ours)
        deaths = [_death(one) for one in ours if one.verdict.kind == retry.DEAD]
        begun = [one.tried.row.event_id for one in ours if one.verdict.kind == retry.RETRY]
        follow(tx, ended, deaths, now, begun)
        breakers.record(tx, _outcomes(ours), limits, now)
    return len(ours)


def _chances(count: int) -> list[float]:
    """Chances spread evenly over what failed together, so that it does not come back together."""
    # They only spread load; nothing secret hangs on them.
    found = [(n + random.random()) / count for n in range(count)]  # noqa: S311
    random.shuffle(found)
    return found


# Said of most attempts, and always the same.
_DONE = Verdict(retry.SENT)


def _is_sent(tried: Tried) -> bool:
    """Whether its system took the message, so that nothing has to be decided."""
    return tried.settled or (not tried.error_class and retry.succeeded(tried.status))


def _judged(
    tried: Tried, policy: Policy, now: int, chances: Iterator[float], worker: str
) -> Judged:
    verdict = _DONE if _is_sent(tried) else _judge(tried, policy, now, next(chances))
    return Judged(tried, verdict, _attempt(tried, verdict, worker), _state(tried, verdict, now))


def _judge(tried: Tried, policy: Policy, now: int, chance: float) -> Verdict:
    attempt = tried.row.attempts - tried.row.attempts_before + 1
    return retry.decide(
        tried.status, tried.error_class, tried.retry_after, attempt, policy, now, chance
    )


# The state is looked at afterwards: asked for it here, SQLite would read all rows that wait.
_LEASES = (
    select(Delivery.id, Delivery.lease, Delivery.status)
    .where(Delivery.id.in_(bindparam("ids", expanding=True)))
    .order_by(Delivery.id)
)


def _held(tx: Tx, tries: Sequence[Tried]) -> set[tuple[int, str | None]]:
    """Rows and the leases they are under: an attempt under an older one of its row is not ours."""
    ids = {tried.row.id for tried in tries}
    query = _LEASES if tx.connection.dialect.name == "sqlite" else _LEASES.with_for_update()
    found = tx.connection.execute(query, {"ids": sorted(ids)})
    return {(id_, lease) for id_, lease, status in found if status == PENDING}


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
        "request_headers": dump_json(tried.request_headers).decode(),
        "response_body": tried.response_body,
        "asked_by": tried.row.asked_by,
        "worker": worker,
    }


STATES = {retry.SENT: SENT, retry.DEAD: FAILED, retry.RETRY: PENDING}


def _update_deliveries(tx: Tx, ours: Sequence[Judged], now: int) -> list[Ended]:
    """Count the attempt and write the state; a retry waits on the queue for retries."""
    update_plain(tx.connection, Delivery, [one.state for one in ours])
    again = [one.tried.row for one in ours if one.verdict.kind == retry.RETRY]
    counters.add(tx.connection, [c for row in again for c in _retry_counts(row)], now)
    return [
        Ended(
            row.id, row.event_id, row.event_type, row.kind, row.system, row.queue,
            row.attempts + 1, row.asked_by, STATES[verdict.kind],
        )
        for (row, *_), verdict, _, _ in ours
        if verdict.kind != retry.RETRY
    ]  # fmt: skip


def _state(tried: Tried, verdict: Verdict, now: int) -> dict[str, Any]:
    again = verdict.kind == retry.RETRY
    return {
        "id": tried.row.id,
        "status": STATES[verdict.kind],
        "attempts": tried.row.attempts + 1,
        "crashes": 0,
        "due_at": verdict.due_at or now,
        "set_at": now,
        "queue": queues.RETRY if again else tried.row.queue,
        "lease": None,
        "probe": 0,
        "last_status": tried.status,
        "last_error": verdict.reason[:500],
        "output": tried.output,
        "finished_at": None if again else now,
    }


def _tell_retried(tx: Tx, ours: Sequence[Judged]) -> None:
    """Say which attempts failed of those that somebody waits for (nobody does for webhooks)."""
    retried = [one.tried.row for one in ours if one.verdict.kind == retry.RETRY]
    again = [row for row in retried if row.kind != WEBHOOK]
    if again:
        lock_events(tx, [one.tried.row.event_id for one in ours])
        tx.tell(DeliveriesRetried([row.id for row in again]))


def _retry_counts(row: Claimed) -> list[Count]:
    """A failed attempt; its delivery waits with the retries from now on."""
    return [
        Count("deliveries.retried", row.event_type, row.system),
        Count("deliveries.waiting", row.queue, row.system, -1, gauge=True),
        Count("deliveries.waiting", queues.RETRY, row.system, gauge=True),
    ]


def _death(one: Judged) -> Death:
    tried, verdict = one.tried, one.verdict
    return Death(tried.row.id, tried.status, verdict.error_class, verdict.reason)


def _outcomes(ours: Sequence[Judged]) -> dict[str, list[tuple[Outcome, str]]]:
    """What the attempts say of their systems, in the order in which they ended."""
    told: dict[str, list[tuple[Outcome, str]]] = defaultdict(list)
    for tried, verdict, _, _ in ours:
        bad = not tried.settled and retry.breaks(tried.status, tried.error_class)
        probe = tried.row.lease if tried.row.probe else None
        told[tried.row.system].append((Outcome(bad, probe), verdict.reason))
    return told
