"""Error rates against the day before, the last failures, and what was changed; for § 3.5."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.engine import Connection

from app import clock, counters
from app.access.models import AuditEntry
from app.deliveries.models import Attempt, Delivery
from app.monitoring.queries.figures import Deliveries, Events
from app.monitoring.rules.chart import Chart, Sample, chart, place
from app.monitoring.rules.snapshot import Snapshot
from app.paging import AnyRow

RECENT_MS = 15 * clock.MINUTE
LINES, CHANGES = 20, 30
# A page must not read a large table to find that nothing failed.
LOOKED_THROUGH = 20_000
CHANGED = ("mapping", "route", "endpoint", "system", "api_key", "workers", "release")
HOURS = 24


@dataclass(frozen=True, slots=True)
class Rate:
    """Failures of one type, source or system in 24 h and in the 24 h before."""

    kind: str
    name: str
    failed: int
    ended: int
    failed_before: int
    ended_before: int

    @property
    def percent(self) -> float | None:
        """Of what ended now, in percent."""
        return 100 * self.failed / self.ended if self.ended else None

    @property
    def percent_before(self) -> float | None:
        """The same of the day before."""
        return 100 * self.failed_before / self.ended_before if self.ended_before else None


def error_data(c: Connection, seen: Snapshot) -> dict[str, Any]:
    """All that the steps of the procedure look at."""
    now = seen.now
    day, before = Events(c, now - clock.DAY), Events(c, now - 2 * clock.DAY, now - clock.DAY)
    rates = [
        *_rates("type", day.by_type, before.by_type, "processed"),
        *_rates("source", day.by_source, before.by_source, "processed"),
        *_rates(
            "system",
            Deliveries(c, now - clock.DAY).by_system,
            Deliveries(c, now - 2 * clock.DAY, now - clock.DAY).by_system,
            "sent",
        ),
    ]
    ended = before.totals["processed"] + before.totals["failed"]
    return {
        "rates": [rate for rate in rates if rate.failed or rate.failed_before],
        "worst": {kind: _worst(rates, kind) for kind in ("type", "source", "system")},
        "rate_before": 100 * before.totals["failed"] / ended if ended else None,
        "recent": _recent(c, now),
        "lines": failures(c, now - clock.DAY),
        "changes": changes(c, now - HOURS * clock.HOUR),
        "axis": (hours := axis(c, now)),
        "course": course(hours),
    }


def _rates(
    kind: str,
    now: Mapping[str, Mapping[str, int]],
    before: Mapping[str, Mapping[str, int]],
    good: str,
) -> list[Rate]:
    none = {"failed": 0, good: 0}
    found = []
    for name in {*now, *before}:
        new, old = now.get(name, none), before.get(name, none)
        found.append(
            Rate(
                kind, name, max(new["failed"], 0), max(new["failed"], 0) + new[good],
                max(old["failed"], 0), max(old["failed"], 0) + old[good],
            )
        )  # fmt: skip
    return sorted(found, key=lambda rate: (-rate.failed, -rate.failed_before, rate.name))


def _worst(rates: Sequence[Rate], kind: str) -> str:
    """The one that fails most, in words."""
    first = next((rate for rate in rates if rate.kind == kind and rate.failed), None)
    return f"{first.name} ({first.failed} de {first.ended})" if first else ""


def _recent(c: Connection, now: int) -> tuple[int, int]:
    failed = max(counters.total(c, "events.failed", now - RECENT_MS), 0)
    return failed, failed + counters.total(c, "events.done", now - RECENT_MS)


def failures(c: Connection, since: int) -> Sequence[AnyRow]:
    """The last attempts that failed, the newest first; looked for among the newest ones only."""
    newest = select(func.max(Attempt.id) - LOOKED_THROUGH).scalar_subquery()
    query = (
        select(
            Attempt.id, Attempt.started_at, Attempt.status, Attempt.error_class, Attempt.error,
            Attempt.latency_ms, Delivery.system, Delivery.event_type, Delivery.event_id,
        )
        .join(Delivery, Delivery.id == Attempt.delivery_id)
        .where(Attempt.id > newest, Attempt.outcome != "sent", Attempt.started_at >= since)
        .order_by(Attempt.id.desc())
        .limit(LINES)
    )  # fmt: skip
    return c.execute(query).all()


def changes(c: Connection, since: int) -> Sequence[AnyRow]:
    """What people changed, from the audit trail, the newest first."""
    wanted = [AuditEntry.action.startswith(f"{name}.", autoescape=True) for name in CHANGED]
    query = select(AuditEntry.__table__).where(AuditEntry.at >= since, or_(*wanted))
    return c.execute(query.order_by(AuditEntry.id.desc()).limit(CHANGES)).all()


@dataclass(frozen=True, slots=True)
class Course:
    """Failures by the hour as a drawing; `marks`: where in it something was changed, and what."""

    drawn: Chart
    since: int
    until: int
    marks: tuple[tuple[float, AnyRow], ...]


def course(hours: Sequence[Mapping[str, Any]]) -> Course:
    """The axis as a drawing."""
    since, until = hours[0]["at"], hours[-1]["at"] + clock.HOUR
    failed = [Sample(h["at"], h["failed"], h["failed"], h["failed"]) for h in hours if h["ended"]]
    marks = tuple((place(row.at, since, until), row) for h in hours for row in h["changes"])
    return Course(chart(failed, since, until, clock.HOUR), since, until, marks)


def axis(c: Connection, now: int) -> list[dict[str, Any]]:
    """Hour by hour: failures, and the changes of that hour."""
    first = now - now % clock.HOUR - (HOURS - 1) * clock.HOUR
    failed = counters.series(c, "events.failed", counters.HOUR, first)
    done = counters.series(c, "events.done", counters.HOUR, first)
    made = changes(c, first)
    hours = []
    for hour in range(first, now, clock.HOUR):
        bad, good = max(failed.get(hour, 0), 0), done.get(hour, 0)
        here = [row for row in made if hour <= row.at < hour + clock.HOUR]
        hours.append({"at": hour, "failed": bad, "ended": bad + good, "changes": here})
    return hours
