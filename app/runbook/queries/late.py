"""Late and missed checklists as alerts."""

from __future__ import annotations

from flask import current_app
from sqlalchemy.engine import Connection

from app import clock
from app.monitoring.rules.alerts import Alert
from app.monitoring.rules.bands import WARNING
from app.paging import AnyRow
from app.runbook.queries.checklists import late_checklists
from app.runbook.rules import shifts
from app.runbook.rules.checks import OWN_ALERT


def late_alerts(c: Connection, now: int) -> list[Alert]:
    """One alert for each checklist that is late or was missed (see pipeline.ALERTS)."""
    zone = current_app.extensions["settings"].zone
    return [_alert(row, state, now) for row, state in late_checklists(c, now, zone)]


def _alert(row: AnyRow, state: str, now: int) -> Alert:
    minutes = (now - row.due_at) // clock.MINUTE
    year, month, day = row.day.split("-")
    which = f"O checklist das {shifts.TIMES[row.shift]} de {day}/{month}/{year}"
    text = (
        f"{which} não foi feito: ninguém confirmou o estado do hub naquele turno."
        if state == shifts.MISSED
        else f"{which} está atrasado: ninguém confirmou o estado do hub neste turno."
    )
    subject = f"{row.day}-{row.shift}"
    limit = shifts.LATE_MS // clock.MINUTE
    return Alert(WARNING, OWN_ALERT, text, minutes, limit, subject=subject)
