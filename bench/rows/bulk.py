"""Bulk retry: thousands of dead letters are asked for at once, queued, and delivered."""

from __future__ import annotations

import http.client
import json
import time

from app.clock import now
from bench.figures import Figure, at_most
from bench.hub import Hub
from bench.processes import until
from bench.setting import Setting

LETTERS, LETTERS_FULL = 10_000, 100_000
# What is promised for 100,000.
SECONDS_FULL = 60


def run(setting: Setting) -> list[Figure]:
    """One round: the work itself is long enough to be steady."""
    count = LETTERS_FULL if setting.full else LETTERS
    with setting.hub() as hub:
        hub.accept(count)
        hub.run(*_deaths(now()))
        hub.start_all("web", "retry", "scheduler")
        started = time.monotonic()
        _ask(hub)
        until(lambda: _left(hub, "open") == 0, 180, "all queued", 0.05)
        queued = time.monotonic() - started
        setting.sink.wait_for(count, 300)
        until(lambda: _left(hub, "retrying") == 0, 60, "all resolved", 0.05)
        delivered = time.monotonic() - started
    goal = at_most(SECONDS_FULL * count / LETTERS_FULL)
    return [
        Figure(f"bulk retry of {count:,} dead letters: queued after", "s", [queued], goal),
        Figure(f"bulk retry of {count:,} dead letters: delivered after", "s", [delivered]),
    ]


def _deaths(at: int) -> tuple[str, ...]:
    """All deliveries die of the same thing."""
    return (
        f"UPDATE deliveries SET status = 'failed', attempts = 5, finished_at = {at}",
        (
            "UPDATE integration_events SET status = 'failed', open_count = 0, failed_count = 1, "
            f"finished_at = {at}"
        ),
        (
            "INSERT INTO causes (key, system, status, error_class, message, first_at) "
            f"VALUES ('bench', 'crm', 503, 'http_503', 'HTTP 503', {at})"
        ),
        (
            "INSERT INTO dead_letters (delivery_id, event_id, event_type, source_system, system, "
            "state, cause, error_class, status, reason, attempts, deaths, died_at, changed_at, "
            "changed_by, note) SELECT id, event_id, event_type, 'financeiro', system, 'open', "
            f"'bench', 'http_503', 503, 'HTTP 503', 5, 1, {at} - id % 1000, {at}, 'hub', '' "
            "FROM deliveries"
        ),
    )


def _ask(hub: Hub) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", hub.port, timeout=30)
    headers = {"X-API-Key": hub.api_key(), "Content-Type": "application/json"}
    connection.request("POST", "/api/dlq/retry-all", json.dumps({"why": "bench"}), headers)
    answer = connection.getresponse()
    if answer.status != 202:
        raise RuntimeError(f"retry-all answered {answer.status}: {answer.read(200)!r}")
    connection.close()


def _left(hub: Hub, state: str) -> int:
    ((count,),) = hub.query(f"SELECT count(*) FROM dead_letters WHERE state = '{state}'")
    return int(count)
