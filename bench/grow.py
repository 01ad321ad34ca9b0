"""Fill an installation with a month of history, straight into its tables."""

from __future__ import annotations

from app import clock
from bench.hub import Hub

CHUNK = 250_000
TYPES = ("payment.failed", "lead.updated", "invoice.created", "caregiver.available")
MONTH = 30 * clock.DAY
# One in a hundred dies, and of twenty different things.
NUMBERS = "WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {last})"
TYPE = "CASE i % 4 " + " ".join(f"WHEN {n} THEN '{t}'" for n, t in enumerate(TYPES)) + " END"
DEAD = "i % 100 = 7"
AT = "{now} - {month} + (i * 7919) % {month}"

EVENTS = (
    "INSERT INTO integration_events (id, event_type, source_system, status, idempotency_key, "
    "fingerprint, payload, raw, received_via, verified, planned, plan_failures, open_count, "
    f"failed_count, created_at, finished_at) {NUMBERS} SELECT i, {TYPE}, 'financeiro', "
    f"CASE WHEN {DEAD} THEN 'failed' ELSE 'done' END, NULL, 'bench', {{empty}}, {{empty}}, "
    f"'api:bench', {{yes}}, {{yes}}, 0, 0, CASE WHEN {DEAD} THEN 1 ELSE 0 END, {AT}, {AT} + 40 "
    "FROM n"
)
DELIVERIES = (
    "INSERT INTO deliveries (id, event_id, event_type, kind, system, endpoint_id, "
    "mapping_version, queue, status, body, attempts, attempts_before, crashes, due_at, set_at, "
    f"lease, probe, asked_by, last_status, last_error, created_at, finished_at) {NUMBERS} SELECT "
    f"i, i, {TYPE}, 'webhook', 'crm', 1, '', 'integrations-high', CASE WHEN {DEAD} THEN 'failed' "
    f"ELSE 'sent' END, {{empty}}, 1, 0, 0, {AT}, {AT}, NULL, 0, '', 200, '', {AT}, {AT} + 40 "
    "FROM n"
)
LETTERS = (
    "INSERT INTO dead_letters (delivery_id, event_id, event_type, source_system, system, state, "
    "cause, error_class, status, reason, attempts, deaths, died_at, changed_at, changed_by, note) "
    f"{NUMBERS} SELECT i, i, {TYPE}, 'financeiro', 'crm', 'open', 'bench-' || (i / 100 % 20), "
    f"'http_422', 422, 'os dados são inválidos', 1, 1, {AT} + 40, {AT} + 40, 'hub', '' FROM n "
    f"WHERE {DEAD}"
)
CAUSES = (
    f"INSERT INTO causes (key, system, status, error_class, message, first_at) {NUMBERS} SELECT "
    "'bench-' || i, 'crm', 422, 'http_422', 'os dados são inválidos', {now} FROM n"
)
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
    sqlite = not hub.settings.database_url
    words = {
        "now": clock.now(),
        "month": MONTH,
        "empty": "X'7B7D'" if sqlite else "'{}'::bytea",
        "yes": "1" if sqlite else "true",
    }
    if not first:
        hub.run(CAUSES.format(first=0, last=19, **words))
    for start in range(first, last, CHUNK):
        span = {"first": start + 1, "last": min(start + CHUNK, last)}
        hub.run(*(table.format(**span, **words) for table in (EVENTS, DELIVERIES, LETTERS)))
    _series(hub)


def _series(hub: Hub) -> None:
    """The buckets that the fold would have made of it."""
    steps = (("m", clock.MINUTE, 2 * clock.DAY), ("h", clock.HOUR, 400 * clock.DAY))
    for step, size, keep in steps:
        hub.run(
            FORGET.format(step=step),
            *(
                SERIES.format(
                    metric=metric, step=step, size=size, keep=keep, now=clock.now(), table=table,
                    at=at, label=label, where=where,
                )
                for metric, table, at, label, where in METRICS
            ),
        )  # fmt: skip
