"""Tables of the runbook; each module of this package is imported here."""

from __future__ import annotations

from app.runbook.models import checklists, contacts, incidents, procedures

__all__ = ["checklists", "contacts", "incidents", "procedures"]
