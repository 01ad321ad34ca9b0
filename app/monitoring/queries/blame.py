"""Which items make a measure bad, with the page of each."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

from flask import current_app
from sqlalchemy.engine import Connection

from app import clock, counters, slow_statements
from app.deliveries.queries.dead_letters import cause_groups
from app.deliveries.rules.advice import cause_words
from app.monitoring.rules import bands
from app.monitoring.rules.snapshot import Snapshot
from app.systems.rules.defaults import KNOWN

FEW, LONGEST = 4, 120


class Item(NamedTuple):
    """What it is, how much of it, and where it is seen (endpoint, query, anchor)."""

    text: str
    n: int
    unit: str
    endpoint: str
    query: tuple[tuple[str, str], ...] = ()
    anchor: str = ""


def blame(c: Connection, seen: Snapshot) -> dict[str, list[Item]]:
    """Per measure the few items that weigh most; none where a measure has no items."""
    failed = counters.by_labels(c, "events.failed", seen.now - clock.DAY)
    return {
        bands.SUCCESS: _events(failed, "failed"),
        bands.PENDING: _events(counters.gauges(c, "events.pending"), "pending"),
        bands.DLQ: [
            Item(_cause(group), group["count"], "", "dead_letters.index",
                 (("cause", group["key"]),))
            for group in cause_groups(c, "")[:FEW]
        ],
        bands.LATENCY: _statements(seen.now - clock.HOUR),
        bands.WAIT: [
            Item(queue, wait // clock.SECOND, "s", "monitoring.queues", (), f"queue-{queue}")
            for queue, wait in sorted(seen.waits.items(), key=lambda pair: -pair[1])[:FEW]
            if wait >= clock.SECOND
        ],
    }  # fmt: skip


def _events(found: dict[tuple[str, str], int], status: str) -> list[Item]:
    """Event types by how many there are."""
    sums: Counter[str] = Counter()
    for (event_type, _), n in found.items():
        sums[event_type] += n
    return [
        Item(event_type, n, "", "events.index", (("status", status), ("type", event_type)))
        for event_type, n in sums.most_common(FEW)
        if n > 0
    ]


def _statements(since: int) -> list[Item]:
    """Kinds of statements by the time that the hub waited for them in all."""
    sums: Counter[str] = Counter()
    for slow in slow_statements.recent(current_app.extensions["settings"].data_dir):
        if slow.at >= since:
            sums[slow.statement[:LONGEST]] += slow.took
    return [Item(text, took, "ms", "") for text, took in sums.most_common(FEW)]


def _cause(group: dict[str, Any]) -> str:
    name = str(group["system"])
    label = KNOWN[name].label if name in KNOWN else name
    return f"{label}: {cause_words(group['message'], group['status'])}"
