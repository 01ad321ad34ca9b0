"""Rows with their counts, as the hub writes them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.engine import Connection

from app import clock, counters, queues
from app.counters import Count
from app.db import Tx, transaction
from app.deliveries.models import DeadLetter, Delivery
from app.events.models import Event

TYPE, SOURCE = "lead.created", "site"


def event(id_: int, **changes: Any) -> dict[str, Any]:
    values = {
        "id": id_, "event_type": TYPE, "source_system": SOURCE, "status": "pending",
        "idempotency_key": None, "fingerprint": "f", "payload": b"{}", "raw": b"{}",
        "received_via": "tests", "verified": True, "planned": True, "plan_failures": 0,
        "open_count": 1, "failed_count": 0, "created_at": clock.now(), "finished_at": None,
    }  # fmt: skip
    return {**values, **changes}


def delivery(event_id: int, **changes: Any) -> dict[str, Any]:
    now = clock.now()
    values = {
        "event_id": event_id, "event_type": TYPE, "kind": "webhook", "system": "crm",
        "endpoint_id": 1, "mapping_version": "", "queue": queues.HIGH, "status": "pending",
        "body": b"{}", "attempts": 0, "attempts_before": 0, "crashes": 0, "due_at": now,
        "set_at": now, "lease": None, "probe": 0, "asked_by": "", "last_status": None,
        "last_error": "", "created_at": now, "finished_at": None,
    }  # fmt: skip
    return {**values, **changes}


def letter(delivery_id: int, **changes: Any) -> dict[str, Any]:
    now = clock.now()
    values = {
        "delivery_id": delivery_id, "event_id": 1, "event_type": TYPE, "source_system": SOURCE,
        "system": "crm", "state": "open", "cause": "c", "error_class": "timeout", "status": None,
        "reason": "não respondeu a tempo", "attempts": 5, "deaths": 1, "died_at": now,
        "changed_at": now, "changed_by": "hub", "note": "",
    }  # fmt: skip
    return {**values, **changes}


def waiting(count: int = 1, event_status: str = "pending", **changes: Any) -> list[int]:
    """Events with one waiting delivery each, counted; ids of the deliveries."""
    with transaction() as tx:
        first = _next_id(tx.connection)
        ids = range(first, first + count)
        tx.connection.execute(
            insert(Event),
            [event(id_, status=event_status, finished_at=_end(event_status)) for id_ in ids],
        )
        rows = [delivery(id_, **changes) for id_ in ids]
        tx.connection.execute(insert(Delivery), rows)
        counted = [Count("deliveries.waiting", r["queue"], r["system"], gauge=True) for r in rows]
        pending = Count("events.pending", TYPE, SOURCE, count, gauge=True)
        accepted = Count("events.accepted", TYPE, SOURCE, count)
        counters.add(tx.connection, [*counted, pending, accepted], clock.now())
        query = select(Delivery.id).where(Delivery.event_id.in_(ids)).order_by(Delivery.id)
        return list(tx.connection.scalars(query))


def dead(count: int = 1, **changes: Any) -> None:
    """Events each of which has one open dead letter, counted."""
    ids = waiting(count, event_status="failed", status="failed")
    with transaction() as tx:
        query = select(Delivery.id, Delivery.event_id).where(Delivery.id.in_(ids))
        found = tx.connection.execute(query).all()
        rows = [letter(row.id, event_id=row.event_id, **changes) for row in found]
        tx.connection.execute(insert(DeadLetter), rows)
        row = rows[0]
        tally(
            tx,
            Count("deliveries.waiting", queues.HIGH, "crm", -count, gauge=True),
            Count("events.pending", TYPE, SOURCE, -count, gauge=True),
            Count("dlq.open", TYPE, row["system"], count, gauge=True),
            Count("dlq.cause", row["cause"], row["system"], count, gauge=True),
            Count("dlq.added", TYPE, row["system"], count),
            Count("deliveries.failed", TYPE, row["system"], count),
            Count("events.failed", TYPE, SOURCE, count),
        )


def tally(tx: Tx, *counts: Count, at: int | None = None) -> None:
    counters.add(tx.connection, counts, clock.now() if at is None else at)


def count(*counts: Count, at: int | None = None) -> None:
    """Counts alone."""
    with transaction() as tx:
        tally(tx, *counts, at=at)


def _end(status: str) -> int | None:
    return None if status == "pending" else clock.now()


def _next_id(c: Connection) -> int:
    last = c.execute(select(Event.id).order_by(Event.id.desc()).limit(1)).scalar()
    return (last or 0) + 1
