"""Doors of the runbook."""

from __future__ import annotations

from app.runbook.routes import (
    contacts,
    history,
    incident_acts,
    incidents,
    papers,
    procedures,
    search,
    signing,
    templates,
    today,
)
from app.runbook.routes.door import blueprint

__all__ = [
    "BLUEPRINTS",
    "contacts",
    "history",
    "incident_acts",
    "incidents",
    "papers",
    "procedures",
    "search",
    "signing",
    "templates",
    "today",
]

BLUEPRINTS = (blueprint,)
