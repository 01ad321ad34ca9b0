"""Doors of the runbook."""

from __future__ import annotations

from app.runbook.routes import today
from app.runbook.routes.door import blueprint

__all__ = ["BLUEPRINTS", "today"]

BLUEPRINTS = (blueprint,)
