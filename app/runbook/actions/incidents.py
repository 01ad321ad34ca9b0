"""What people do with an incident; each command is one entry of its timeline and of the audit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from app.access.actions import audit
from app.access.actor import Actor
from app.access.models import AuditHead
from app.db import Tx, transaction
from app.errors import Conflict, Invalid
from app.paging import AnyRow
from app.runbook.actions import timeline
from app.runbook.models.incidents import Incident
from app.runbook.models.procedures import ProcedureRun
from app.runbook.queries import contacts
from app.runbook.queries.incidents import find, find_active
from app.runbook.queries.origins import number_of
from app.runbook.rules import incidents as rules
from app.runbook.rules.incidents import ACTIVE, LONGEST_TEXT, OPEN, RESOLVED, SEVERITIES


@dataclass(frozen=True, slots=True)
class New:
    """An incident to be. `ref` names what it comes from; `since`: unavailable since then (ms)."""

    title: str
    severity: str
    details: str = ""
    origin: str = ""
    ref: str = ""
    alert_key: str = ""
    system: str = ""
    since: int | None = None

    @property
    def key(self) -> str | None:
        """Names the cause, so that it has one open incident; None for those by hand."""
        return f"{self.origin}:{self.alert_key or self.ref}" if self.origin else None


def open_incident(new: New, *, by: Actor, now: int) -> tuple[int, bool]:
    """Open it; its id, and False where the cause has an open one already (that one's id)."""
    if wrong := rules.problems(new.title, new.severity, new.details):
        raise Invalid(details={field: [text] for field, text in wrong.items()})
    with transaction() as tx:
        if new.key and (known := find_active(tx.connection, new.key)):
            return known.id, False
        try:
            with tx.connection.begin_nested():
                incident_id = _insert(tx, new, by, now)
        except IntegrityError:
            known = find_active(tx.connection, new.key or "")
            if known is None:
                raise Conflict("Outra pessoa mudou isto agora mesmo") from None
            return known.id, False
        timeline.add_by(tx, incident_id, "opened", now, by=by, text=new.details or new.title)
        if new.since is not None:
            timeline.add(tx, incident_id, "unavailable", now)
        if new.origin == "run":
            _take_in(tx, new.ref, incident_id)
        after = {"title": new.title, "severity": new.severity}
        audit.record(tx, by, "incident.opened", _target(incident_id), None, None, after)
    return incident_id, True


def _insert(tx: Tx, new: New, by: Actor, now: int) -> int:
    values = {
        "active_key": new.key, "alert_key": new.alert_key, "system": new.system[:80],
        "origin": new.origin, "origin_ref": new.ref[:80], "title": new.title,
        "details": new.details, "severity": new.severity, "state": OPEN, "level": 1,
        "called_level": 1, "rules_json": contacts.rules(tx.connection)[1].as_json(),
        "unavailable_since": new.since, "opened_at": now, "opened_by": by.name[:120],
        "touched_at": now, "counted_from": now, "audit_seen": _audit_head(tx),
    }  # fmt: skip
    made = tx.connection.execute(insert(Incident).values(**values)).inserted_primary_key
    return int(made[0]) if made else 0


def _take_in(tx: Tx, ref: str, incident_id: int) -> None:
    """The run that it was opened from goes on inside it."""
    mine = (ProcedureRun.id == number_of(ref), ProcedureRun.incident_id.is_(None))
    tx.connection.execute(update(ProcedureRun).where(*mine).values(incident_id=incident_id))


def acknowledge(incident_id: int, *, by: Actor, now: int) -> None:
    """Take it on. Whoever has the level that was called answers the call with it."""
    with transaction() as tx:
        row = _open(tx, incident_id)
        if row.owner_name == by.name and row.owner_id == by.id and row.called_level is None:
            return
        values: dict[str, Any] = {
            "state": ACTIVE, "owner_id": by.id, "owner_name": by.name[:120],
            "acknowledged_at": row.acknowledged_at or now,
        }  # fmt: skip
        # A key or the hub has no level; it can take on, but not answer for people.
        if row.called_level is not None and by.level >= row.called_level:
            values["called_level"] = None
        _change(tx, row, values)
        timeline.add_by(tx, incident_id, "acknowledged", now, by=by)
        before = {"owner": row.owner_name or None}
        audit.record(
            tx, by, "incident.acknowledged", _target(incident_id), None, before, {"owner": by.name}
        )


def release(incident_id: int, *, by: Actor, now: int) -> None:
    """Give it back: nobody is on it, and its level is called again."""
    with transaction() as tx:
        row = _open(tx, incident_id)
        if row.state != ACTIVE:
            return
        _change(
            tx, row, {"state": OPEN, "owner_id": None, "owner_name": "", "called_level": row.level}
        )
        timeline.add_by(tx, incident_id, "released", now, by=by)
        before = {"owner": row.owner_name}
        audit.record(
            tx, by, "incident.released", _target(incident_id), None, before, {"owner": None}
        )


def add_note(incident_id: int, text: str, *, by: Actor, now: int) -> None:
    """Write something down; incidents that are over take notes too."""
    text = _said(text, "text")
    with transaction() as tx:
        find(tx.connection, incident_id)
        timeline.add_by(tx, incident_id, "note", now, by=by, text=text)


def set_severity(incident_id: int, severity: str, *, by: Actor, now: int) -> None:
    """Another severity."""
    if severity not in SEVERITIES:
        raise Invalid(details={"severity": ["Escolha a gravidade"]})
    with transaction() as tx:
        row = _open(tx, incident_id)
        if row.severity == severity:
            return
        _change(tx, row, {"severity": severity})
        text = f"de {SEVERITIES[row.severity].lower()} para {SEVERITIES[severity].lower()}"
        timeline.add_by(tx, incident_id, "severity", now, by=by, text=text)
        before, after = {"severity": row.severity}, {"severity": severity}
        audit.record(tx, by, "incident.severity", _target(incident_id), None, before, after)


def set_unavailable(incident_id: int, unavailable: bool, *, by: Actor, now: int) -> None:
    """Say that the system does not work at all, or that it does again."""
    with transaction() as tx:
        row = _open(tx, incident_id)
        if unavailable == (row.unavailable_since is not None):
            return
        _change(tx, row, {"unavailable_since": now if unavailable else None})
        kind = "unavailable" if unavailable else "available"
        timeline.add_by(tx, incident_id, kind, now, by=by)
        audit.record(tx, by, f"incident.{kind}", _target(incident_id))


def resolve(incident_id: int, resolution: str, *, by: Actor, now: int) -> None:
    """End it, saying what the cause was and what helped."""
    text = _said(resolution, "resolution")
    with transaction() as tx:
        row = _open(tx, incident_id)
        values = {
            "state": RESOLVED, "active_key": None, "called_level": None, "resolved_at": now,
            "resolved_by": by.name[:120], "resolution": text, "unavailable_since": None,
        }  # fmt: skip
        _change(tx, row, values)
        timeline.add_by(tx, incident_id, "resolved", now, by=by, text=text)
        audit.record(tx, by, "incident.resolved", _target(incident_id), text[:500])


def reopen(incident_id: int, why: str, *, by: Actor, now: int) -> None:
    """It was not over: open again, on the level where it was, its clocks begin anew."""
    text = _said(why, "why")
    with transaction() as tx:
        row = find(tx.connection, incident_id)
        if row.state != RESOLVED:
            raise Conflict("Este incidente está aberto")
        key = f"{row.origin}:{row.alert_key or row.origin_ref}" if row.origin else None
        if key and find_active(tx.connection, key):
            raise Conflict("Já há outro incidente aberto para a mesma causa")
        values = {
            "state": OPEN, "active_key": key, "resolved_at": None, "resolved_by": "",
            "resolution": "", "owner_id": None, "owner_name": "", "called_level": row.level,
            "audit_seen": _audit_head(tx), "counted_from": now,
        }  # fmt: skip
        same = update(Incident).where(Incident.id == incident_id, Incident.state == RESOLVED)
        tx.connection.execute(same.values(**values))
        timeline.add_by(tx, incident_id, "reopened", now, by=by, text=text)
        audit.record(tx, by, "incident.reopened", _target(incident_id), text[:500])


def _open(tx: Tx, incident_id: int) -> AnyRow:
    row = find(tx.connection, incident_id)
    if row.state == RESOLVED:
        raise Conflict("Este incidente já foi encerrado")
    return row


def _change(tx: Tx, row: AnyRow, values: dict[str, Any]) -> None:
    """Change it if it is still as it was read; Conflict else."""
    same = (
        Incident.id == row.id, Incident.state == row.state, Incident.level == row.level,
        Incident.owner_name == row.owner_name,
    )  # fmt: skip
    if not tx.connection.execute(update(Incident).where(*same).values(**values)).rowcount:
        raise Conflict("Outra pessoa mudou este incidente agora mesmo")


def _said(text: str, field: str) -> str:
    text = text.strip()
    if not 0 < len(text) <= LONGEST_TEXT:
        raise Invalid(details={field: [f"Escreva de 1 a {LONGEST_TEXT} caracteres"]})
    return text


def _audit_head(tx: Tx) -> int:
    return tx.connection.execute(select(AuditHead.last_id)).scalar_one_or_none() or 0


def _target(incident_id: int) -> str:
    return f"incident:{incident_id}"
