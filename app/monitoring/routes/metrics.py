"""The same readings as Prometheus text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from flask import Blueprint, Response

from app import clock
from app.access.guards import require
from app.monitoring.queries.snapshot import take_snapshot
from app.monitoring.rules import alerts as rules
from app.monitoring.rules.bands import CRITICAL, WARNING
from app.monitoring.rules.snapshot import Snapshot

blueprint = Blueprint("metrics", __name__)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
ESCAPED = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


class Sample(NamedTuple):
    """One value of a gauge; no line is written where there is none."""

    name: str
    help: str
    value: float | None
    labels: Mapping[str, str] = {}


@blueprint.get("/metrics")
@require("overview.read", scope="overview:read", network=True)
def metrics() -> Response:
    """Gauges of the moment."""
    text = exposition(samples(take_snapshot(clock.now())))
    return Response(text, content_type=CONTENT_TYPE)


def exposition(found: Iterator[Sample]) -> str:
    """Samples of one name must follow each other; HELP and TYPE come before the first."""
    lines: list[str] = []
    last = ""
    for sample in found:
        if sample.name != last:
            lines.append(f"# HELP {sample.name} {sample.help}")
            lines.append(f"# TYPE {sample.name} gauge")
            last = sample.name
        if sample.value is not None:
            lines.append(f"{sample.name}{_labels(sample.labels)} {sample.value:g}")
    return "\n".join(lines) + "\n"


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    pairs = ",".join(f'{name}="{value.translate(ESCAPED)}"' for name, value in labels.items())
    return f"{{{pairs}}}"


def samples(seen: Snapshot) -> Iterator[Sample]:
    """All gauges of a snapshot."""
    yield from _parts(seen)
    yield Sample("hub_events_pending", "Events that no system has yet.", seen.pending)
    rate = None if seen.success_rate is None else seen.success_rate / 100
    yield Sample("hub_success_ratio", "Share of the events ended in 24 h that did well.", rate)
    for queue, n in seen.queue_sizes.items():
        yield Sample("hub_queue_size", "Deliveries and events waiting.", n, {"queue": queue})
    for queue in seen.queue_sizes:
        wait = seen.waits.get(queue, 0) / clock.SECOND
        text = "How long the oldest message that could leave waits."
        yield Sample("hub_queue_wait_seconds", text, wait, {"queue": queue})
    for (event_type, system), n in sorted(seen.dead.items()):
        labels = {"event_type": event_type, "system": system}
        yield Sample("hub_dead_letters_open", "Dead letters that want a decision.", n, labels)
    for breaker in seen.breakers.values():
        labels = {"system": breaker.system, "state": breaker.state}
        yield Sample("hub_breaker", "State of each breaker.", 1, labels)


def _parts(seen: Snapshot) -> Iterator[Sample]:
    """Database, Redis, processes, alerts."""
    database, redis = seen.database.latency_ms, seen.redis.latency_ms
    yield Sample("hub_database_latency_ms", "Round trip and a small read.", database)
    yield Sample("hub_redis_up", "Whether Redis answers.", int(seen.redis.ok))
    yield Sample("hub_redis_latency_ms", "Round trip.", redis)
    for kind, n in sorted(seen.processes.items()):
        yield Sample("hub_processes", "Processes heard of in 30 s.", n, {"kind": kind})
    found = rules.alerts(seen)
    for level in (CRITICAL, WARNING):
        text = "Alerts of the moment."
        yield Sample("hub_alerts", text, rules.count(found, level), {"level": level})
