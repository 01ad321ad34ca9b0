"""Reads of incidents: lists with their filter, one with its timeline, who is called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal
from urllib.parse import urlencode

from pydantic import BaseModel, Field
from sqlalchemy import and_, func, or_, select
from sqlalchemy.engine import Connection

from app.errors import NotFound
from app.monitoring.rules.alerts import Alert
from app.paging import AnyRow, AnySelect
from app.runbook.models.incidents import Incident, IncidentEntry, IncidentStep
from app.runbook.rules.escalation import NAMES, Rules, Standing, Step, next_step
from app.runbook.rules.incidents import CRITICAL, HIGH, RESOLVED

CURSOR = r"^(\d{1,16}-\d{1,18})?$"
MOST_ENTRIES = 2_000


class IncidentFilter(BaseModel):
    """Query string of the list."""

    state: Literal["open", "resolved", "all"] = "open"
    severity: Literal["", "low", "medium", "high", "critical"] = ""
    level: Literal["", "1", "2", "3"] = ""
    q: str = Field("", max_length=100)
    after: str = Field("", pattern=CURSOR)
    size: int = Field(25, ge=1, le=100)

    @property
    def active(self) -> bool:
        """Whether it narrows anything beside the state."""
        return bool(self.severity or self.level or self.q)

    def query_with(self, **changes: str | None) -> str:
        """The query string with some fields changed (None removes)."""
        usual = {"size": 25, "state": "open"}
        fields = {**self.model_dump(), **changes}
        return urlencode({k: v for k, v in fields.items() if v and v != usual.get(k)})

    def narrow(self, query: AnySelect) -> AnySelect:
        """The filter as conditions."""
        if self.state != "all":
            resolved = Incident.state == RESOLVED
            query = query.where(resolved if self.state == "resolved" else ~resolved)
        if self.severity:
            query = query.where(Incident.severity == self.severity)
        if self.level:
            query = query.where(Incident.level == int(self.level))
        if self.q:
            query = query.where(Incident.title.icontains(self.q, autoescape=True))
        return query


def list_incidents(c: Connection, wanted: IncidentFilter) -> tuple[Sequence[AnyRow], str | None]:
    """A page: the open ones first, then the newest; and the key of the next page."""
    query = wanted.narrow(select(Incident.__table__))
    ended = func.coalesce(Incident.resolved_at, 0)
    if wanted.after:
        at, id_ = map(int, wanted.after.split("-"))
        # Open ones (0) stand first; among those that are over the last to end.
        later = and_(ended == at, Incident.id < id_)
        beyond = or_(ended > 0, later) if at == 0 else or_(and_(ended > 0, ended < at), later)
        query = query.where(beyond if at else or_(ended > 0, later))
    order = ((ended > 0), ended.desc(), Incident.id.desc())
    rows = c.execute(query.order_by(*order).limit(wanted.size + 1)).all()
    if len(rows) <= wanted.size:
        return rows, None
    last = rows[wanted.size - 1]
    return rows[: wanted.size], f"{last.resolved_at or 0}-{last.id}"


def count(c: Connection, wanted: IncidentFilter) -> int:
    """How many the filter means."""
    query = wanted.narrow(select(func.count()).select_from(Incident))
    total: int = c.execute(query).scalar_one()
    return total


def open_count(c: Connection) -> int:
    """How many are not over (see pipeline.NAV_COUNTS)."""
    return count(c, IncidentFilter.model_validate({}))


def find(c: Connection, incident_id: int) -> AnyRow:
    """One incident; NotFound."""
    query = select(Incident.__table__).where(Incident.id == incident_id)
    if row := c.execute(query).one_or_none():
        return row
    raise NotFound("Incidente não encontrado")


def find_active(c: Connection, key: str) -> AnyRow | None:
    """The open incident of a cause."""
    query = select(Incident.__table__).where(Incident.active_key == key)
    return c.execute(query).one_or_none()


def unresolved(c: Connection) -> Sequence[AnyRow]:
    """Incidents that are not over, the oldest first."""
    query = select(Incident.__table__).where(Incident.state != RESOLVED)
    return c.execute(query.order_by(Incident.id)).all()


def open_titles(c: Connection) -> list[str]:
    """The open incidents in words, for the hand-over."""
    return [f"{row.id} – {row.title} ({NAMES[row.level]})" for row in unresolved(c)]


def entries(c: Connection, incident_id: int, newest_first: bool = True) -> Sequence[AnyRow]:
    """The timeline."""
    query = select(IncidentEntry.__table__).where(IncidentEntry.incident_id == incident_id)
    order = (IncidentEntry.at, IncidentEntry.id)
    by = [column.desc() for column in order] if newest_first else order
    return c.execute(query.order_by(*by).limit(MOST_ENTRIES)).all()


def steps_done(c: Connection, incident_id: int) -> frozenset[str]:
    """Keys of the escalations the clock has made."""
    query = select(IncidentStep.step).where(IncidentStep.incident_id == incident_id)
    return frozenset(c.execute(query).scalars())


def coming_step(row: AnyRow, done: frozenset[str]) -> Step | None:
    """The escalation that comes next, by the rules the incident keeps."""
    if row.state == RESOLVED:
        return None
    answered = row.called_level is None
    standing = Standing(
        row.level, row.counted_from, row.touched_at, answered, row.unavailable_since
    )
    return next_step(standing, Rules.read(row.rules_json), done)


def coming_steps(c: Connection, rows: Sequence[AnyRow]) -> dict[int, Step]:
    """The same for a list, by incident."""
    query = select(IncidentStep.incident_id, IncidentStep.step)
    done: dict[int, set[str]] = {}
    for id_, key in c.execute(query.where(IncidentStep.incident_id.in_([r.id for r in rows]))):
        done.setdefault(id_, set()).add(key)
    found = {row.id: coming_step(row, frozenset(done.get(row.id, ()))) for row in rows}
    return {id_: step for id_, step in found.items() if step is not None}


def calling(c: Connection, level: int) -> Sequence[AnyRow]:
    """Escalated incidents that wait for somebody of this level."""
    query = select(Incident.id, Incident.title, Incident.severity).where(
        Incident.state != RESOLVED, Incident.called_level == level, Incident.level > 1
    )
    return c.execute(query.order_by(Incident.id)).all()


def called_alerts(c: Connection, _now: int) -> list[Alert]:
    """Escalated incidents that nobody of their level has taken on, as alerts."""
    query = select(Incident.id, Incident.title, Incident.severity, Incident.level).where(
        Incident.state != RESOLVED, Incident.called_level.is_not(None), Incident.level > 1
    )
    return [
        Alert(
            "critical" if row.severity in (CRITICAL, HIGH) else "warning",
            "incident",
            f"Incidente {row.id} está com {NAMES[row.level]} e ninguém assumiu: {row.title}",
            row.level, 1, subject=str(row.id),
        )
        for row in c.execute(query.order_by(Incident.id))
    ]  # fmt: skip
