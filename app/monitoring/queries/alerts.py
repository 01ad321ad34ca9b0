"""Reads of stored alerts: the open ones, the history with its filter, one with what happened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal
from urllib.parse import urlencode

from pydantic import BaseModel, Field
from sqlalchemy import and_, or_, select
from sqlalchemy.engine import Connection

from app.errors import NotFound
from app.monitoring.models import AlertEntry, AlertRow
from app.paging import AnyRow, AnySelect

CURSOR = r"^(\d{1,16}-\d{1,18})?$"


class AlertFilter(BaseModel):
    """Query string of the history of alerts."""

    level: Literal["", "warning", "critical"] = ""
    type: str = Field("", max_length=40, pattern=r"^[a-z_]*$")
    subject: str = Field("", max_length=80)
    after: str = Field("", pattern=CURSOR)
    size: int = Field(25, ge=1, le=100)

    @property
    def active(self) -> bool:
        """Whether it narrows anything."""
        return bool(self.level or self.type or self.subject)

    def query_with(self, **changes: str | None) -> str:
        """The query string with some fields changed (None removes)."""
        usual = {"size": 25}
        fields = {**self.model_dump(), **changes}
        return urlencode({k: v for k, v in fields.items() if v and v != usual.get(k)})

    def narrow(self, query: AnySelect) -> AnySelect:
        """The filter as conditions."""
        for column, value in (
            (AlertRow.worst, self.level), (AlertRow.type, self.type),
            (AlertRow.subject, self.subject),
        ):  # fmt: skip
            if value:
                query = query.where(column == value)
        return query


def open_alerts(c: Connection) -> Sequence[AnyRow]:
    """Open alerts, the oldest first."""
    query = select(AlertRow.__table__).where(AlertRow.active_key.is_not(None))
    return c.execute(query.order_by(AlertRow.id)).all()


def closed_alerts(c: Connection, wanted: AlertFilter) -> tuple[Sequence[AnyRow], str | None]:
    """A page of alerts that are over, the last to end first, and the key of the next page."""
    query = wanted.narrow(select(AlertRow.__table__).where(AlertRow.closed_at.is_not(None)))
    if wanted.after:
        at, id_ = map(int, wanted.after.split("-"))
        earlier = and_(AlertRow.closed_at == at, AlertRow.id < id_)
        query = query.where(or_(AlertRow.closed_at < at, earlier))
    order = (AlertRow.closed_at.desc(), AlertRow.id.desc())
    rows = c.execute(query.order_by(*order).limit(wanted.size + 1)).all()
    if len(rows) <= wanted.size:
        return rows, None
    last = rows[wanted.size - 1]
    return rows[: wanted.size], f"{last.closed_at}-{last.id}"


def snoozed_keys(c: Connection, now: int) -> frozenset[str]:
    """Causes whose alert is put to sleep at `now` (ms)."""
    query = select(AlertRow.active_key).where(AlertRow.active_key.is_not(None))
    found = c.execute(query.where(AlertRow.snoozed_until > now)).scalars()
    return frozenset(key for key in found if key)


def find_alert(c: Connection, alert_id: int) -> AnyRow:
    """One alert; NotFound."""
    query = select(AlertRow.__table__).where(AlertRow.id == alert_id)
    if row := c.execute(query).one_or_none():
        return row
    raise NotFound("Alert not found")


def entries(c: Connection, alert_id: int) -> Sequence[AnyRow]:
    """What happened to it, the first thing first."""
    query = select(AlertEntry.__table__).where(AlertEntry.alert_id == alert_id)
    return c.execute(query.order_by(AlertEntry.id).limit(500)).all()
