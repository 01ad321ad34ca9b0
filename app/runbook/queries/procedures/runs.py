"""Reads of the runs of procedures and of what was said and done in them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.engine import Connection

from app.access.models import AuditEntry
from app.errors import NotFound
from app.paging import AnyRow
from app.runbook.models.procedures import ProcedureRun, ProcedureStep
from app.runbook.rules.procedures.shape import Procedure

MOST_ENTRIES = 500
MOST_AUDITED = 200


def find_run(c: Connection, run_id: int) -> AnyRow:
    """One run; NotFound."""
    query = select(ProcedureRun.__table__).where(ProcedureRun.id == run_id)
    row = c.execute(query).one_or_none()
    if row is None:
        raise NotFound("Execução não encontrada")
    return row


def running(c: Connection, key: str = "", subject: str | None = None) -> Sequence[AnyRow]:
    """Runs under way, the newest first; of one procedure and subject if given."""
    query = select(ProcedureRun.__table__).where(ProcedureRun.ended_at.is_(None))
    if key:
        query = query.where(ProcedureRun.key == key)
    if subject is not None:
        query = query.where(ProcedureRun.subject == subject)
    return c.execute(query.order_by(ProcedureRun.id.desc()).limit(50)).all()


def ended(c: Connection, key: str = "", before: int = 0, limit: int = 20) -> Sequence[AnyRow]:
    """Runs that are over, the newest first."""
    query = select(ProcedureRun.__table__).where(ProcedureRun.ended_at.is_not(None))
    if key:
        query = query.where(ProcedureRun.key == key)
    if before:
        query = query.where(ProcedureRun.id < before)
    return c.execute(query.order_by(ProcedureRun.id.desc()).limit(limit)).all()


def of_incident(c: Connection, incident_id: int) -> Sequence[AnyRow]:
    """Runs inside an incident, in the order in which they began."""
    query = select(ProcedureRun.__table__).where(ProcedureRun.incident_id == incident_id)
    return c.execute(query.order_by(ProcedureRun.id)).all()


def entries(c: Connection, run_id: int) -> Sequence[AnyRow]:
    """What was said and done, the first thing first."""
    query = select(ProcedureStep.__table__).where(ProcedureStep.run_id == run_id)
    return c.execute(query.order_by(ProcedureStep.id).limit(MOST_ENTRIES)).all()


def audited(c: Connection, procedure: Procedure, run: AnyRow, now: int) -> Sequence[AnyRow]:
    """What the audit trail knows of the time of the run, as far as it concerns the procedure."""
    if not procedure.audit:
        return ()
    wanted = [AuditEntry.action.startswith(name, autoescape=True) for name in procedure.audit]
    time = and_(AuditEntry.at >= run.started_at, AuditEntry.at <= (run.ended_at or now))
    query = select(AuditEntry.__table__).where(time, or_(*wanted))
    return c.execute(query.order_by(AuditEntry.id).limit(MOST_AUDITED)).all()


def stored(text: str) -> dict[str, Any]:
    """Evidence or a result as it was stored."""
    found = json.loads(text) if text else {}
    return found if isinstance(found, dict) else {}
