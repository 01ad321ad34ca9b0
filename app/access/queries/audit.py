"""Reads of the audit trail: the filter as an object, pages by key, the check of the chain."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from flask import current_app
from pydantic import BaseModel, ConfigDict, Field, field_validator
from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.engine import Connection

from app import clock
from app.access.models import AuditEntry
from app.access.queries import Chain, verify_chain
from app.paging import AnyRow

COUNT_UP_TO = 10_000
CHUNK = 500
NEWER_UP_TO = 1_000
# A check walks the whole trail; it is made once in a while and shared by those who look.
CHECKED_SECONDS = 60.0
Text = Annotated[str, Field(max_length=120, pattern=r"^[^\x00-\x1f]*$")]


class AuditFilter(BaseModel):
    """The query string of the trail; what is empty does not filter."""

    model_config = ConfigDict(populate_by_name=True)
    who: Text = ""
    action: Text = ""
    target: Text = ""
    q: Text = ""
    since: str = Field("", alias="from", max_length=10)
    until: str = Field("", alias="to", max_length=10)
    after: int = Field(0, ge=0, le=2**62)
    # What was written after this entry waits to be asked for.
    upto: int = Field(0, ge=0, le=2**62)
    per_page: int = Field(50, ge=1, le=100)

    @field_validator("since", "until")
    @classmethod
    def _is_day(cls, value: str) -> str:
        """A day, or nothing; the calendar's last one has no day after it."""
        if value and date.fromisoformat(value) == date.max:
            raise ValueError("is too far away")
        return date.fromisoformat(value).isoformat() if value else ""

    @property
    def active(self) -> bool:
        """Whether the list is narrowed."""
        return any((self.who, self.action, self.target, self.q, self.since, self.until))

    def query_with(self, **changes: Any) -> str:
        """The query string with some of it changed (None removes)."""
        told = self.model_dump(by_alias=True, exclude_defaults=True, exclude={"upto"}) | changes
        return urlencode({name: value for name, value in told.items() if value})

    def conditions(self) -> list[ColumnElement[bool]]:
        """What entries must fulfil."""
        found: list[ColumnElement[bool]] = []
        if self.who:
            found.append(AuditEntry.actor_name == self.who)
        if self.action:
            found.append(AuditEntry.action.startswith(f"{self.action}.", autoescape=True))
        if self.target:
            found.append(AuditEntry.target == self.target)
        if self.q:
            columns = (AuditEntry.why, AuditEntry.target, AuditEntry.action)
            found.append(or_(*(column.icontains(self.q, autoescape=True) for column in columns)))
        if self.since:
            found.append(AuditEntry.at >= _midnight(self.since))
        if self.until:
            found.append(AuditEntry.at < _midnight(self.until, 1))
        if self.upto:
            found.append(AuditEntry.id <= self.upto)
        return found


def _midnight(day: str, later: int = 0) -> int:
    """The beginning of a day in the zone of the operation (ms)."""
    zone = current_app.extensions["settings"].zone
    wanted = date.fromisoformat(day) + timedelta(days=later)
    return clock.from_datetime(datetime.combine(wanted, time(), zone))


def list_entries(c: Connection, wanted: AuditFilter, limit: int = 0) -> Sequence[AnyRow]:
    """Entries, newest first, after the key of the last one seen."""
    query = select(AuditEntry.__table__).where(*wanted.conditions())
    if wanted.after:
        query = query.where(AuditEntry.id < wanted.after)
    return c.execute(query.order_by(AuditEntry.id.desc()).limit(limit or wanted.per_page)).all()


def count(c: Connection, wanted: AuditFilter) -> int:
    """How many entries the filter means, counted up to 10,001."""
    found = select(AuditEntry.id).where(*wanted.conditions()).limit(COUNT_UP_TO + 1).subquery()
    return c.execute(select(func.count()).select_from(found)).scalar_one()


def newer(c: Connection, wanted: AuditFilter) -> int:
    """How many were written since the page was opened, counted up to NEWER_UP_TO."""
    if not wanted.upto:
        return 0
    where = wanted.model_copy(update={"upto": 0}).conditions()
    few = select(AuditEntry.id).where(*where, AuditEntry.id > wanted.upto).limit(NEWER_UP_TO)
    return c.execute(select(func.count()).select_from(few.subquery())).scalar_one()


def actors(c: Connection) -> list[str]:
    """Names of those who did something."""
    query = select(AuditEntry.actor_name).distinct().order_by(AuditEntry.actor_name).limit(200)
    return list(c.execute(query).scalars())


def areas(c: Connection) -> list[str]:
    """First words of the actions there are: user, endpoint, mapping…"""
    names = c.execute(select(AuditEntry.action).distinct()).scalars()
    return sorted({name.partition(".")[0] for name in names})


def checked_chain() -> tuple[Chain, int]:
    """What the last check of the trail found, and when (ms); made anew after a minute."""
    kept: tuple[float, Chain, int] | None = current_app.extensions.get("audit_chain")
    if kept is None or clock.monotonic() - kept[0] >= CHECKED_SECONDS:
        kept = (clock.monotonic(), verify_chain(), clock.now())
        current_app.extensions["audit_chain"] = kept
    return kept[1], kept[2]
