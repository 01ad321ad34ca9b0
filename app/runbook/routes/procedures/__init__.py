"""Doors of the procedures: what is the case now, a run as a stepper, its report, its deeds."""

from __future__ import annotations

from app.runbook.routes.procedures import acts, config, pages

__all__ = ["acts", "config", "pages"]
