"""Doors of the runbook."""

from __future__ import annotations

from app.runbook.routes import history, signing, templates, today
from app.runbook.routes.door import blueprint

__all__ = ["BLUEPRINTS", "history", "signing", "templates", "today"]

BLUEPRINTS = (blueprint,)
