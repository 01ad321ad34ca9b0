"""Where an incident or a run was opened from: `alert:12`, `checklist:3:2`, `run:7`, …"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import Connection

from app.monitoring.models import AlertRow
from app.numbers import whole
from app.runbook.models.checklists import Checklist
from app.runbook.models.incidents import Incident
from app.runbook.models.procedures import ProcedureRun


@dataclass(frozen=True, slots=True)
class Origin:
    """In words; the page (endpoint, values), '' where there is none or what it showed is gone."""

    text: str
    endpoint: str = ""
    values: dict[str, Any] = field(default_factory=dict)


def origin(c: Connection, ref: str) -> Origin | None:
    """What a reference means; None for one that means nothing. Alerts are kept for a time only."""
    kind, number = ref.partition(":")[0], number_of(ref)
    if kind not in KINDS or number is None:
        return None
    what, column, endpoint, name = KINDS[kind]
    found = c.execute(select(column).where(column.class_.id == number)).scalar()
    text = f"{what} {number}"
    if found is None:
        return Origin(f"{text} (o registro já foi apagado)")
    return Origin(text, endpoint, {name: found})


def number_of(ref: str) -> int | None:
    """The id in a reference; None where there is none that a row could have."""
    return whole(ref.partition(":")[2].partition(":")[0])


KINDS: dict[str, tuple[str, Any, str, str]] = {
    "alert": ("alerta", AlertRow.id, "alerts.show", "alert_id"),
    "checklist": ("checklist", Checklist.day, "runbook.day", "day"),
    "run": ("procedimento", ProcedureRun.id, "runbook.run", "run_id"),
    "incident": ("incidente", Incident.id, "runbook.incident", "incident_id"),
}
