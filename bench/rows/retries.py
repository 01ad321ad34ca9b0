"""Retries that come due: how late each one leaves."""

from __future__ import annotations

import time

from app.deliveries.rules.message import message_id
from bench.figures import Figure, at_most
from bench.setting import Setting
from bench.stats import percentile

RETRIES, APART, AHEAD = 150, 40, 3_000  # how many, and ms


def run(setting: Setting) -> list[Figure]:
    """Retries scattered over some seconds on an otherwise idle hub."""
    rounds = [_round(setting) for _ in range(min(setting.rounds, 2))]
    p50 = [percentile(found, 50) for found in rounds]
    p99 = [percentile(found, 99) for found in rounds]
    return [
        Figure("a due retry leaves late by, p50", "ms", p50),
        Figure("a due retry leaves late by, p99", "ms", p99, at_most(1000), at_most(200)),
    ]


def _round(setting: Setting) -> list[float]:
    count = setting.of(RETRIES)
    with setting.hub() as hub:
        hub.start_all("retry", "scheduler")
        hub.accept(count)
        first = round(time.time() * 1000) + AHEAD
        hub.run(
            "UPDATE deliveries SET queue = 'integrations-retry', attempts = 1, "
            f"due_at = {first} + (event_id - 1) * {APART}"
        )
        due = {
            message_id(row.id, row.created_at): row.due_at
            for row in hub.query("SELECT id, created_at, due_at FROM deliveries")
        }
        setting.sink.wait_for(count, AHEAD / 1000 + count * APART / 1000 + 10)
        arrivals = setting.sink.arrivals()
    return [arrivals[message] - due[message] for message in due]
