"""The overview as people look at it: the five gauges, each queue, each system; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app import clock, queues
from app.monitoring.rules import bands
from app.monitoring.rules.bands import SLA, Band, Level
from app.monitoring.rules.snapshot import Snapshot
from app.systems.rules.breaker import CLOSED


@dataclass(frozen=True, slots=True)
class Gauge:
    """One of the five measures; `value` rounded to what is shown, `bad` grows as it worsens."""

    name: str
    value: float | None
    level: Level
    warning: float
    critical: float
    bad: float | None
    low: float
    high: float
    most: float


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One of the five queues; `oldest` ms, whole seconds."""

    name: str
    waiting: int
    oldest: int
    workers: int


@dataclass(frozen=True, slots=True)
class SystemRow:
    """What went to a system today, and whether it takes messages now."""

    name: str
    breaker: str
    paused: bool
    held: int
    sent: int
    failed: int


def gauges(seen: Snapshot) -> list[Gauge]:
    """The five measures of the runbook, in its order."""
    return [_gauge(name, seen.limits[name], seen.measures[name], seen.sla[name]) for name in SLA]


def _gauge(name: str, limits: Band, value: float | None, level: Level) -> Gauge:
    """The meter grows with trouble, so a share of successes is turned into one of failures."""
    shown = None if value is None else round(value, 1 if name == bands.SUCCESS else 0)
    low, high = limits.warning, limits.critical
    bad = shown
    if limits.low_is_bad:
        low, high = 100 - limits.warning, 100 - limits.critical
        bad = None if shown is None else round(100 - shown, 1)
    most = high * 1.5
    return Gauge(
        name, shown, level, limits.warning, limits.critical,
        None if bad is None else min(bad, most), low, high, most,
    )  # fmt: skip


def queue_rows(seen: Snapshot) -> list[QueueRow]:
    """The queues in order of their priority."""
    return [
        QueueRow(
            name,
            seen.queue_sizes.get(name, 0),
            seen.waits.get(name, 0) // clock.SECOND * clock.SECOND,
            seen.processes.get(f"worker:{name}", 0),
        )
        for name in queues.QUEUES
    ]


def system_rows(seen: Snapshot, today: Mapping[str, Mapping[str, int]]) -> list[SystemRow]:
    """All systems, those that take nothing first."""
    none = {"sent": 0, "failed": 0}
    rows = [
        SystemRow(
            name, breaker.state, name in seen.paused, seen.held.get(name, 0),
            today.get(name, none)["sent"], today.get(name, none)["failed"],
        )
        for name, breaker in seen.breakers.items()
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (row.breaker == CLOSED, not row.paused, row.name))
