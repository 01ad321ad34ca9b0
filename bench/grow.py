"""Fill an installation with a month of history, straight into its tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Table

from app import clock
from app.deliveries.models import Cause, DeadLetter, Delivery
from app.events.models import Event
from bench.hub import Hub

CHUNK = 250_000
TYPES = ("payment.failed", "lead.updated", "invoice.created", "caregiver.available")
MONTH = 30 * clock.DAY
# One in a hundred dies, and of twenty different things.
DEAD = "i % 100 = 7"
TYPE = "CASE i % 4 " + " ".join(f"WHEN {n} THEN '{t}'" for n, t in enumerate(TYPES)) + " END"
AT = "{now} - {month} + (i * 7919) % {month}"
ENDED = f"{AT} + 40"

EVENT = {
    "id": "i",
    "event_type": TYPE,
    "source_system": "'financeiro'",
    "status": f"CASE WHEN {DEAD} THEN 'failed' ELSE 'done' END",
    "fingerprint": "'bench'",
    "payload": "{empty}",
    "raw": "{empty}",
    "received_via": "'api:bench'",
    "verified": "{yes}",
    "planned": "{yes}",
    "failed_count": f"CASE WHEN {DEAD} THEN 1 ELSE 0 END",
    "created_at": AT,
    "finished_at": ENDED,
}
DELIVERY = {
    "id": "i",
    "event_id": "i",
    "event_type": TYPE,
    "system": "'crm'",
    "endpoint_id": "1",
    "queue": "'integrations-high'",
    "status": f"CASE WHEN {DEAD} THEN 'failed' ELSE 'sent' END",
    "body": "{empty}",
    "attempts": "1",
    "due_at": AT,
    "set_at": AT,
    "last_status": "200",
    "created_at": AT,
    "finished_at": ENDED,
}
LETTER = {
    "id": "i",
    "delivery_id": "i",
    "event_id": "i",
    "event_type": TYPE,
    "source_system": "'financeiro'",
    "system": "'crm'",
    "cause": "'bench-' || (i / 100 % 20)",
    "error_class": "'http_422'",
    "status": "422",
    "reason": "'os dados são inválidos'",
    "attempts": "1",
    "died_at": ENDED,
    "changed_at": ENDED,
}
CAUSE = {
    "key": "'bench-' || (i - 1)",
    "system": "'crm'",
    "status": "422",
    "error_class": "'http_422'",
    "message": "'os dados são inválidos'",
    "first_at": "{now}",
}
FORGET = "DELETE FROM counters WHERE step = '{step}'"
SERIES = (
    "INSERT INTO counters (metric, step, bucket, a, b, n) SELECT '{metric}', '{step}', "
    "{table}.{at} - {table}.{at} % {size}, event_type, {label}, count(*) FROM {table} "
    "WHERE {table}.{at} > {now} - {keep} AND {where} GROUP BY 3, 4, 5"
)
METRICS = (
    ("events.accepted", "integration_events", "created_at", "source_system", "1 = 1"),
    ("events.done", "integration_events", "finished_at", "source_system", "status = 'done'"),
    ("events.failed", "integration_events", "finished_at", "source_system", "status = 'failed'"),
    ("deliveries.sent", "deliveries", "finished_at", "system", "status = 'sent'"),
    ("deliveries.failed", "deliveries", "finished_at", "system", "status = 'failed'"),
    ("dlq.added", "dead_letters", "died_at", "system", "1 = 1"),
)


def grow(hub: Hub, first: int, last: int) -> None:
    """Rows `first` + 1 to `last` of each table, and the counters of all of them."""
    if not first:
        hub.run(_rows(hub, Cause, CAUSE, 1, 20))
    for start in range(first, last, CHUNK):
        span = (start + 1, min(start + CHUNK, last))
        hub.run(
            _rows(hub, Event, EVENT, *span),
            _rows(hub, Delivery, DELIVERY, *span),
            f"{_rows(hub, DeadLetter, LETTER, *span)} WHERE {DEAD}",
        )
    _series(hub)


def _rows(hub: Hub, model: Any, given: Mapping[str, str], first: int, last: int) -> str:
    """One statement that makes the rows `first` to `last`; `i` counts them."""
    sqlite = not hub.settings.database_url
    words = {
        "now": clock.now(),
        "month": MONTH,
        "empty": "X'7B7D'" if sqlite else "'{}'::bytea",
        "yes": "1" if sqlite else "true",
    }
    values = {name: text.format(**words) for name, text in _complete(model.__table__, given)}
    numbers = (
        f"WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {last})"
    )
    table, columns, row = model.__tablename__, ", ".join(values), ", ".join(values.values())
    return f"INSERT INTO {table} ({columns}) {numbers} SELECT {row} FROM n"


def _complete(table: Table, given: Mapping[str, str]) -> list[tuple[str, str]]:
    """What is given, and the models' defaults for the columns that must have a value."""
    defaults = [
        (column.name, repr(column.default.arg))
        for column in table.columns
        if column.name not in given and column.default is not None and column.default.is_scalar
    ]
    return [*given.items(), *defaults]


def _series(hub: Hub) -> None:
    """The buckets that the fold would have made of it."""
    steps = (("m", clock.MINUTE, 2 * clock.DAY), ("h", clock.HOUR, 400 * clock.DAY))
    for step, size, keep in steps:
        common = {"step": step, "size": size, "keep": keep, "now": clock.now()}
        hub.run(
            FORGET.format(**common),
            *(
                SERIES.format(metric=metric, table=table, at=at, label=label, where=where, **common)
                for metric, table, at, label, where in METRICS
            ),
        )
