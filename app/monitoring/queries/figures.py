"""Figures of a stretch of time, summed from kept counters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from app import counters
from app.deliveries.models import OPEN, DeadLetter
from app.monitoring.queries.syncs import sync_totals
from app.monitoring.rules import days

Pair = tuple[str, str]
# Open dead letters are counted one by one up to here.
EXACT_UP_TO = 2_000
OUTCOMES = {"total": "events.accepted", "processed": "events.done", "failed": "events.failed"}


class Events:
    """Events since a moment: accepted (`total`), done (`processed`), failed; by both labels."""

    def __init__(self, c: Connection, since: int, until: int | None = None) -> None:
        self._found = {
            name: counters.by_labels(c, metric, since, until) for name, metric in OUTCOMES.items()
        }

    @property
    def totals(self) -> dict[str, int]:
        """{total, processed, failed}."""
        return {name: max(sum(found.values()), 0) for name, found in self._found.items()}

    @property
    def by_type(self) -> dict[str, dict[str, int]]:
        """The same by event type."""
        return self._by(lambda pair: pair[0])

    @property
    def by_source(self) -> dict[str, dict[str, int]]:
        """The same by source system."""
        return self._by(lambda pair: pair[1])

    def _by(self, label: Callable[[Pair], str]) -> dict[str, dict[str, int]]:
        sums: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(OUTCOMES, 0))
        for name, found in self._found.items():
            for pair, n in found.items():
                sums[label(pair)][name] += n
        return {key: sums[key] for key in sorted(sums)}


class Deliveries:
    """Deliveries that ended since a moment, by the system they were for."""

    def __init__(self, c: Connection, since: int, until: int | None = None) -> None:
        self.by_system: dict[str, dict[str, int]] = {}
        for name in ("sent", "failed"):
            labels = counters.by_labels(c, f"deliveries.{name}", since, until)
            for (_, system), n in labels.items():
                empty = {"total": 0, "sent": 0, "failed": 0}
                sums = self.by_system.setdefault(system, empty)
                sums[name] += n
                sums["total"] += n

    @property
    def totals(self) -> dict[str, int]:
        """{total, sent, failed}."""
        names = ("total", "sent", "failed")
        return {name: sum(sums[name] for sums in self.by_system.values()) for name in names}


def dead_by_type(dead: Mapping[Pair, int]) -> dict[str, int]:
    """Open dead letters by event type, from their gauge."""
    sums: dict[str, int] = defaultdict(int)
    for (event_type, _), n in dead.items():
        sums[event_type] += n
    return dict(sorted(sums.items()))


def died_since(c: Connection, since: int, open_now: int) -> int:
    """Open dead letters that died since a moment; archived and resolved ones have left.

    Counted in the index while few are open. Above EXACT_UP_TO: those that died since at all, at
    most all that are open, which is not below the truth.
    """
    if open_now > EXACT_UP_TO:
        return min(open_now, counters.total(c, "dlq.added", since))
    query = select(func.count()).where(DeadLetter.state == OPEN, DeadLetter.died_at >= since)
    return c.execute(query.select_from(DeadLetter)).scalar_one()


def daily_report(c: Connection, day: date, zone: ZoneInfo) -> dict[str, Any]:
    """The day in the contract's shape."""
    since, until = days.bounds(day, zone)
    sent = Deliveries(c, since, until).totals
    return {
        "date": day.isoformat(),
        "events": Events(c, since, until).totals,
        "deliveries": {"total": sent["total"], "success": sent["sent"]},
        "sync_jobs": sync_totals(c, since, until),
        "dead_letter_added": counters.total(c, "dlq.added", since, until),
    }
