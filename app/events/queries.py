"""Reads of the events: a filtered list that stays quick in a large table, one event, sums."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AliasChoices, BaseModel, Field
from sqlalchemy import ColumnElement, func, select, tuple_
from sqlalchemy.engine import Connection

from app import clock, counters
from app.errors import Invalid, NotFound
from app.events.models import Event
from app.paging import AnyRow

# No list is counted or leafed through by number further; its cursor goes to the end.
DEEPEST = 10_000
NEWER_UP_TO = 1_000

KEY = r"^([0-9]{1,18}\.[0-9]{1,18})?$"
# Printable ASCII: PostgreSQL refuses some of what else a query string can hold.
Name = Annotated[str, Field(max_length=80, pattern=r"^[\x21-\x7e]*$")]
COLUMNS = (
    Event.id,
    Event.event_type,
    Event.source_system,
    Event.status,
    Event.created_at,
    Event.finished_at,
    Event.received_via,
    Event.verified,
    Event.planned,
    Event.open_count,
    Event.failed_count,
)


class EventFilter(BaseModel):
    """The query string of a list; what is empty does not filter."""

    type: Name = Field("", validation_alias=AliasChoices("type", "event_type"))
    source: Name = Field("", validation_alias=AliasChoices("source", "source_system"))
    status: Literal["", "pending", "processing", "done", "failed"] = ""
    since: str = Field("", alias="from", max_length=40)
    until: str = Field("", alias="to", max_length=40)
    page: int = Field(1, ge=1, le=1_000_000)
    per_page: int = Field(20, ge=1, le=100)
    cursor: str = Field("", pattern=KEY)

    def conditions(self, zone: ZoneInfo) -> list[ColumnElement[bool]]:
        """What the events must fulfil; Invalid names a date that is none."""
        wanted = (
            (Event.event_type, self.type),
            (Event.source_system, self.source),
            (Event.status, self.status),
        )
        found: list[ColumnElement[bool]] = [column == value for column, value in wanted if value]
        if self.since:
            found.append(Event.created_at >= instant("from", self.since, zone))
        if self.until:
            found.append(Event.created_at < instant("to", self.until, zone, end=True))
        return found

    @property
    def start(self) -> int:
        """Rows before the page; Invalid beyond what is leafed through by number."""
        start = (self.page - 1) * self.per_page
        if start > DEEPEST:
            raise Invalid(details={"page": [f"beyond {DEEPEST} events follow meta.next_cursor"]})
        return start


class HeldFilter(EventFilter):
    """The filter of a list that somebody reads: what came after `upto` waits to be asked for."""

    upto: str = Field("", pattern=KEY)

    def conditions(self, zone: ZoneInfo) -> list[ColumnElement[bool]]:
        """What the events must fulfil, without what came since the page was opened."""
        held = [_key() <= _parts(self.upto)] if self.upto else []
        return [*super().conditions(zone), *held]


@dataclass(frozen=True, slots=True)
class EventPage:
    """Some of the events; `total` stops at 10,001, which means "more than 10,000"."""

    rows: Sequence[AnyRow]
    number: int
    per_page: int
    total: int
    next_cursor: str | None

    @property
    def last(self) -> int:
        """Number of the last page that can be asked for; an empty list has one."""
        return max(1, -(-self.total // self.per_page))

    @property
    def more(self) -> bool:
        """Whether there are more than were counted."""
        return self.total > DEEPEST

    def as_json(self) -> dict[str, Any]:
        """The contract's list, and the way on for those who want all of it."""
        meta = {
            "current_page": self.number,
            "last_page": self.last,
            "per_page": self.per_page,
            "total": self.total,
            "total_is_capped": self.more,
            "next_cursor": self.next_cursor,
        }
        return {"data": [event_json(row) for row in self.rows], "meta": meta}


def listed(c: Connection, wanted: EventFilter, zone: ZoneInfo) -> EventPage:
    """Events of the filter, newest first."""
    where = wanted.conditions(zone)
    query = select(*COLUMNS).where(*where).order_by(Event.created_at.desc(), Event.id.desc())
    if wanted.cursor:
        query = query.where(_key() < _parts(wanted.cursor))
    else:
        query = query.offset(wanted.start)
    rows = c.execute(query.limit(wanted.per_page + 1)).all()
    page = rows[: wanted.per_page]
    end = key_of(page[-1]) if len(rows) > len(page) else None
    return EventPage(page, wanted.page, wanted.per_page, _counted(c, where), end)


def newer(c: Connection, wanted: HeldFilter, zone: ZoneInfo) -> int:
    """How many came since the page was opened, counted up to NEWER_UP_TO."""
    if not wanted.upto:
        return 0
    where = wanted.model_copy(update={"upto": ""}).conditions(zone)
    few = select(Event.id).where(*where, _key() > _parts(wanted.upto)).limit(NEWER_UP_TO)
    return c.execute(select(func.count()).select_from(few.subquery())).scalar_one()


def key_of(row: AnyRow) -> str:
    """Where an event stands in the list."""
    return f"{row.created_at}.{row.id}"


def _key() -> Any:
    return tuple_(Event.created_at, Event.id)


def _parts(key: str) -> Any:
    at, id_ = key.split(".")
    return tuple_(int(at), int(id_))


def _counted(c: Connection, where: Sequence[ColumnElement[bool]]) -> int:
    """How many events there are, as far as is counted."""
    found = select(Event.id).where(*where).limit(DEEPEST + 1).subquery()
    return c.execute(select(func.count()).select_from(found)).scalar_one()


def instant(field: str, text: str, zone: ZoneInfo, *, end: bool = False) -> int:
    """ms of an ISO date or datetime, in the zone unless it has an offset; Invalid by field.

    `end`: the bound just after it, so that a date means the whole day.
    """
    try:
        if len(text) == len("2026-01-31"):
            day = date.fromisoformat(text) + timedelta(days=1 if end else 0)
            return clock.from_datetime(datetime.combine(day, time(), zone))
        # A plus sign that was not escaped arrives as a space.
        moment = datetime.fromisoformat(text[:19] + text[19:].replace(" ", "+"))
        local = moment if moment.tzinfo else moment.replace(tzinfo=zone)
        return clock.from_datetime(local) + (1 if end else 0)
    except (ValueError, OverflowError):
        raise Invalid(details={field: ["must be an ISO 8601 date or datetime"]}) from None


def event_json(row: AnyRow) -> dict[str, Any]:
    """An event of a list as JSON."""
    return {
        "id": row.id,
        "event_type": row.event_type,
        "source_system": row.source_system,
        "status": row.status,
        "created_at": clock.iso(row.created_at),
        "processed_at": clock.iso(row.finished_at),
        "received_via": row.received_via,
        "verified": row.verified,
    }


@dataclass(frozen=True, slots=True)
class WholeEvent:
    """One event with its content."""

    row: AnyRow
    payload: Any
    raw: bytes

    def as_json(self) -> dict[str, Any]:
        """The event with its payload."""
        key = self.row.idempotency_key
        return {**event_json(self.row), "payload": self.payload, "idempotency_key": key}


def one(c: Connection, event_id: int) -> WholeEvent:
    """One event; NotFound."""
    content = (Event.payload, Event.raw, Event.idempotency_key)
    row = c.execute(select(*COLUMNS, *content).where(Event.id == event_id)).one_or_none()
    if row is None:
        raise NotFound("Event not found")
    return WholeEvent(row, json.loads(row.payload), row.raw)


def stats(c: Connection, now: int, zone: ZoneInfo) -> dict[str, Any]:
    """What waits and what became of today's events, read from the counters."""
    midnight = clock.to_datetime(now, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    since = clock.from_datetime(midnight)
    accepted = counters.by_labels(c, "events.accepted", since)
    return {
        "pending": counters.gauge(c, "events.pending"),
        "today": {
            "total": sum(accepted.values()),
            "processed": counters.total(c, "events.done", since),
            "failed": counters.total(c, "events.failed", since),
        },
        "by_type": _sums(accepted, 0),
        "by_source": _sums(accepted, 1),
    }


def _sums(counts: dict[tuple[str, str], int], label: int) -> dict[str, int]:
    """Counts by one of their two labels, the largest first."""
    sums: dict[str, int] = {}
    for labels, n in counts.items():
        sums[labels[label]] = sums.get(labels[label], 0) + n
    return dict(sorted(sums.items(), key=lambda item: (-item[1], item[0])))
