"""Dead letters: the filter as an object, lists by page or by key, counts, groups by cause."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from heapq import nsmallest
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlencode

from flask import current_app
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.engine import Connection

from app import clock, counters
from app.deliveries.models import OPEN, Attempt, Cause, DeadLetter, Delivery
from app.errors import NotFound
from app.events.models import Event
from app.numbers import whole
from app.paging import AnyRow, AnySelect, Page, Paging

COUNT_UP_TO = 10_000
MOST_CAUSES = 50
State = Literal["open", "retrying", "resolved", "archived"]


# What can be asked for (ms): from the epoch to the end of 2099, in any zone.
EARLIEST, LATEST = 0, clock.LAST + clock.DAY


def _moment(value: Any, day_after: bool) -> int | None:
    """`2026-11-23` or `2026-11-23T08:00` in the zone of the operation, or ms; '' is nothing.

    ValueError for what is no moment or lies in none of the years that can be asked for.
    """
    if value in (None, ""):
        return None
    number = value if isinstance(value, int) else whole(str(value))
    try:
        ms = _read(str(value), day_after) if number is None else number
    except OverflowError:
        ms = LATEST + 1
    if isinstance(value, bool) or not EARLIEST <= ms <= LATEST:
        raise ValueError("must be a moment of the years 1970 to 2099")
    return ms


def _read(text: str, day_after: bool) -> int:
    """A day or a moment of it (ISO) as ms. ValueError, OverflowError at the calendar's ends."""
    zone = current_app.extensions["settings"].zone
    if len(text) == 10:
        day = date.fromisoformat(text) + timedelta(days=day_after)
        return clock.from_datetime(datetime.combine(day, time(), zone))
    moment = datetime.fromisoformat(text)
    return clock.from_datetime(moment if moment.tzinfo else moment.replace(tzinfo=zone))


def _or_none(value: Any) -> Any:
    """An empty field of a form is no value."""
    return None if value == "" else value


MOMENTS = frozenset({"from", "to"})
# A day as the start of a range is its midnight; as the end it is included whole.
Start = Annotated[int | None, BeforeValidator(lambda value: _moment(value, False))]
End = Annotated[int | None, BeforeValidator(lambda value: _moment(value, True))]
Positive = Annotated[Annotated[int, Field(ge=1)] | None, BeforeValidator(_or_none)]
Days = Annotated[Annotated[int, Field(ge=1, le=3650)] | None, BeforeValidator(_or_none)]
HttpStatus = Annotated[Annotated[int, Field(ge=100, le=599)] | None, BeforeValidator(_or_none)]
# Printable: PostgreSQL refuses NUL.
Name = Annotated[str, Field(max_length=80, pattern=r"^[^\x00-\x1f]*$")]


class Narrow(BaseModel):
    """Which dead letters are meant, whatever their state; times in ms once parsed."""

    model_config = ConfigDict(populate_by_name=True)
    event_type: Name = ""
    system: Name = ""
    cause: Name = ""
    error_class: Name = ""
    status: HttpStatus = None
    days: Days = None
    since: Start = Field(None, alias="from")
    until: End = Field(None, alias="to")
    q: Name = ""

    def frozen(self, now: int) -> str:
        """The filter as JSON that means the same tomorrow: days become a moment."""
        starts = [self.since] if self.since is not None else []
        if self.days:
            starts.append(now - self.days * clock.DAY)
        update = {"days": None, "since": max(starts, default=None)}
        told = Narrow.model_construct(**{**self.model_dump(include=set(Narrow.model_fields)),
                                         **update})  # fmt: skip
        return told.model_dump_json(by_alias=True, exclude_defaults=True)

    @classmethod
    def thawed(cls, stored: str) -> Self:
        """What `frozen` told; a moment that a hub before this one let in is brought into the years
        that can be asked for, which means the same letters."""
        told = json.loads(stored)
        for name in told.keys() & MOMENTS:
            told[name] = min(max(told[name], EARLIEST), LATEST)
        return cls.model_validate(told)

    def where(self, now: int) -> list[ColumnElement[bool]]:
        """The conditions, without the state."""
        found: list[ColumnElement[bool]] = [
            getattr(DeadLetter, name) == getattr(self, name)
            for name in ("event_type", "system", "cause", "error_class", "status")
            if getattr(self, name)
        ]
        if self.days:
            found.append(DeadLetter.died_at >= now - self.days * clock.DAY)
        if self.since is not None:
            found.append(DeadLetter.died_at >= self.since)
        if self.until is not None:
            found.append(DeadLetter.died_at < self.until)
        if self.q:
            found.append(DeadLetter.reason.icontains(self.q, autoescape=True))
        return found


class DeadLetterFilter(Narrow, Paging):
    """The query string of a list of dead letters; `after` is the key of the last row seen."""

    state: State = "open"
    after: Annotated[str, Field(pattern=r"^(-?\d{1,18}\.\d{1,18})?$")] = ""

    def apply(self, query: AnySelect, now: int) -> AnySelect:
        """The query with the filter's conditions."""
        return query.where(DeadLetter.state == self.state, *self.where(now))

    def is_empty(self) -> bool:
        """Whether nothing is filtered out beside the state."""
        return not self._given() - {"state", *Paging.model_fields, "after"}

    def url_query(self, **changes: Any) -> str:
        """The query string that leads here, with changes; defaults are left out."""
        values = {**self.model_dump(by_alias=True, exclude_defaults=True), **changes}
        return urlencode({key: value for key, value in values.items() if value not in (None, "")})

    def count(self, c: Connection, now: int) -> tuple[int, bool]:
        """How many there are, and whether that is only a lower bound (10,000 and more)."""
        exact = self._from_gauge(c)
        if exact is not None:
            return exact, False
        some = self.apply(select(DeadLetter.id), now).limit(COUNT_UP_TO + 1).subquery()
        number = c.execute(select(func.count()).select_from(some)).scalar_one()
        return min(number, COUNT_UP_TO), number > COUNT_UP_TO

    def _given(self) -> set[str]:
        """Names of the fields that are not at their default."""
        return set(self.model_dump(exclude_defaults=True))

    def _from_gauge(self, c: Connection) -> int | None:
        """The count without touching a letter, where a gauge knows it."""
        given = self._given() - {*Paging.model_fields, "after"}
        for metric, label in (("dlq.open", "event_type"), ("dlq.cause", "cause")):
            if given <= {label, "system"}:
                wanted = (getattr(self, label), self.system)
                return sum(
                    n
                    for key, n in counters.gauges(c, metric).items()
                    if all(not want or want == has for want, has in zip(wanted, key, strict=True))
                )
        return None


def _listed() -> AnySelect:
    """What a list shows, newest death first."""
    return (
        select(DeadLetter.__table__, Delivery.due_at, Delivery.status.label("delivery_status"))
        .join(Delivery, Delivery.id == DeadLetter.delivery_id)
        .order_by(DeadLetter.died_at.desc(), DeadLetter.id.desc())
    )


def list_dead_letters(c: Connection, wanted: DeadLetterFilter, now: int) -> Page:
    """One page: after the key `after` if given, else by its number."""
    query = wanted.apply(_listed(), now).limit(wanted.per_page)
    if wanted.after:
        died_at, letter_id = map(int, wanted.after.split("."))
        same = and_(DeadLetter.died_at == died_at, DeadLetter.id < letter_id)
        query = query.where(DeadLetter.died_at <= died_at)
        query = query.where(or_(DeadLetter.died_at < died_at, same))
    start = 0 if wanted.after else (wanted.page - 1) * wanted.per_page
    rows = c.execute(query.offset(start)).all()
    return Page(rows, wanted.page, wanted.per_page, _total(c, wanted, rows, start, now))


def _total(
    c: Connection, wanted: DeadLetterFilter, rows: Sequence[AnyRow], start: int, now: int
) -> int:
    """How many there are; one more than COUNT_UP_TO stands for any number above it."""
    if not wanted.after and len(rows) < wanted.per_page and (rows or not start):
        # The end is in sight: nothing need be looked through once more to be counted.
        return start + len(rows)
    total, more = wanted.count(c, now)
    return total + more


def key_of(row: AnyRow) -> str:
    """The key of a row for `after`."""
    return f"{row.died_at}.{row.id}"


def find_dead_letter(c: Connection, letter_id: int) -> AnyRow:
    """One letter with its delivery and its event; NotFound."""
    query = (
        select(
            DeadLetter.__table__, Delivery.status.label("delivery_status"), Delivery.kind,
            Delivery.endpoint_id, Delivery.mapping_version, Delivery.body, Delivery.due_at,
            Delivery.created_at, Delivery.attempts.label("delivery_attempts"), Event.payload,
            Event.status.label("event_status"), Cause.message.label("cause_message"),
        )
        .join(Delivery, Delivery.id == DeadLetter.delivery_id)
        .join(Event, Event.id == DeadLetter.event_id)
        .outerjoin(Cause, Cause.key == DeadLetter.cause)
        .where(DeadLetter.id == letter_id)
    )  # fmt: skip
    row = c.execute(query).one_or_none()
    if row is None:
        raise NotFound("Dead letter not found")
    return row


def attempts_of(c: Connection, delivery_id: int) -> Sequence[AnyRow]:
    """The attempts of a delivery, newest first."""
    query = select(Attempt.__table__).where(Attempt.delivery_id == delivery_id)
    return c.execute(query.order_by(Attempt.id.desc()).limit(200)).all()


def cause_groups(c: Connection, system: str = "", most: int = MOST_CAUSES) -> list[dict[str, Any]]:
    """Open dead letters by cause, most first; from the gauge, not by counting letters."""
    sizes = {
        key: n
        for (key, of), n in counters.gauges(c, "dlq.cause").items()
        if n > 0 and (not system or of == system)
    }
    largest = nsmallest(most, sizes, key=lambda key: (-sizes[key], key))
    query = select(Cause.__table__).where(Cause.key.in_(largest))
    known = {row.key: row for row in c.execute(query)} if largest else {}
    return [{**known[key]._mapping, "count": sizes[key]} for key in largest if key in known]


def examples(c: Connection, causes: Sequence[str]) -> dict[str, int]:
    """The open letter that died last of each of these causes; one look into an index each."""
    newest = select(DeadLetter.id).where(DeadLetter.state == OPEN)
    order = (DeadLetter.died_at.desc(), DeadLetter.id.desc())
    found = {
        key: c.execute(newest.where(DeadLetter.cause == key).order_by(*order).limit(1)).scalar()
        for key in causes
    }
    return {key: id_ for key, id_ in found.items() if id_ is not None}


def statistics(c: Connection, now: int) -> dict[str, Any]:
    """Open dead letters: all, lately, by type, system and cause (shape of /api/dlq/stats)."""
    gauges = counters.gauges(c, "dlq.open")
    return {
        "total": sum(gauges.values()),
        "last_24h": _open_since(c, now - clock.DAY),
        "last_7d": _open_since(c, now - 7 * clock.DAY),
        "by_type": _summed(gauges, 0),
        "by_system": _summed(gauges, 1),
        "by_cause": [_cause_data(group) for group in cause_groups(c)],
        "oldest_at": clock.iso(_oldest(c)),
    }


def _open_since(c: Connection, since: int) -> int:
    """How many of the open ones died since then: one range of an index."""
    query = select(func.count()).where(DeadLetter.state == OPEN, DeadLetter.died_at >= since)
    return c.execute(query.select_from(DeadLetter)).scalar_one()


def _oldest(c: Connection) -> int | None:
    query = select(func.min(DeadLetter.died_at)).where(DeadLetter.state == OPEN)
    return c.execute(query).scalar()


def _summed(gauges: Mapping[tuple[str, str], int], label: int) -> dict[str, int]:
    """A gauge by one of its two labels, most first."""
    sums: dict[str, int] = {}
    for key, n in gauges.items():
        sums[key[label]] = sums.get(key[label], 0) + n
    return dict(sorted(sums.items(), key=lambda item: -item[1]))


def _cause_data(group: Mapping[str, Any]) -> dict[str, Any]:
    names = ("system", "status", "error_class", "message", "count")
    return {"cause": group["key"], **{name: group[name] for name in names}}
