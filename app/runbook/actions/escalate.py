"""Escalation: by the clock, exactly once a step, and by hand."""

from __future__ import annotations

from sqlalchemy import insert, update
from sqlalchemy.exc import IntegrityError

from app.access.actions import audit
from app.access.actor import Actor
from app.db import Tx, reading, transaction
from app.errors import Conflict, Invalid
from app.paging import AnyRow
from app.runbook.actions import timeline
from app.runbook.actions.notify import call_level
from app.runbook.models.incidents import Incident, IncidentStep
from app.runbook.queries.incidents import coming_step, find, steps_done, unresolved
from app.runbook.rules.escalation import MANAGEMENT, NAMES, Rules, Step, reason
from app.runbook.rules.incidents import RESOLVED


def escalate_due(now: int) -> int:
    """Take every step whose time has come; how many were taken here."""
    with reading() as c:
        ids = [row.id for row in unresolved(c)]
    return sum(_escalate_one(incident_id, now) for incident_id in ids)


def _escalate_one(incident_id: int, now: int) -> int:
    taken = 0
    while (step := _due(incident_id, now)) and _take(incident_id, step, now):
        taken += 1
    return taken


def _due(incident_id: int, now: int) -> Step | None:
    with reading() as c:
        step = coming_step(find(c, incident_id), steps_done(c, incident_id))
    return step if step is not None and step.at <= now else None


def _take(incident_id: int, step: Step, now: int) -> bool:
    """The step, if nobody took it and nothing changed that it hangs on."""
    with transaction() as tx:
        row = find(tx.connection, incident_id)
        if coming_step(row, steps_done(tx.connection, incident_id)) != step:
            return False
        values = {
            "incident_id": incident_id, "step": step.key, "at": now, "from_level": row.level,
            "to_level": step.to_level,
        }  # fmt: skip
        try:
            with tx.connection.begin_nested():
                tx.connection.execute(insert(IncidentStep).values(**values))
        except IntegrityError:
            # The other scheduler was first.
            return False
        why = reason(step, Rules.read(row.rules_json))
        return _raise(tx, row, step.to_level, why, "", now)


def escalate(incident_id: int, why: str, *, by: Actor, now: int) -> int:
    """Hand it to the next level now; the level. Conflict where there is none."""
    why = why.strip()
    if not why:
        raise Invalid(details={"why": ["Escreva o motivo"]})
    with transaction() as tx:
        row = find(tx.connection, incident_id)
        if row.state == RESOLVED:
            raise Conflict("Este incidente já foi encerrado")
        if row.level >= MANAGEMENT:
            raise Conflict("O incidente já está com a Gestão")
        level: int = row.level + 1
        if not _raise(tx, row, level, why[:500], by.name, now):
            raise Conflict("Outra pessoa mudou este incidente agora mesmo")
        target, before = f"incident:{incident_id}", {"level": row.level}
        audit.record(tx, by, "incident.escalated", target, why, before, {"level": level})
    return level


def _raise(tx: Tx, row: AnyRow, level: int, why: str, by: str, now: int) -> bool:
    """Move it up, call the level, and say so; False where another was first."""
    same = (Incident.id == row.id, Incident.level == row.level, Incident.state != RESOLVED)
    change = update(Incident).where(*same).values(level=level, called_level=level)
    if not tx.connection.execute(change).rowcount:
        return False
    text = f"Para {NAMES[level]}. {why}"
    timeline.add(tx, row.id, "escalated", now, text, by)
    call_level(tx, row, level, why, now)
    return True
