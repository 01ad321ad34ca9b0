"""The runbook's doors for the clock."""

from __future__ import annotations

from flask import current_app

from app import clock
from app.runbook.actions import checklists
from app.runbook.actions.escalate import escalate_due
from app.runbook.actions.follow import tell_actions
from app.runbook.actions.notify import settle
from app.runbook.queries.readings import take_readings


def open_checklist() -> None:
    """Make the shift's checklist and look at the data, at its time."""
    zone, now = current_app.extensions["settings"].zone, clock.now()
    found = checklists.ensure(now, zone)
    checklists.look(found, take_readings(now, zone))


def escalate() -> None:
    """Take due escalations, tell what was done meanwhile and which notices arrived."""
    escalate_due(clock.now())
    tell_actions()
    settle(clock.now())
