"""All automations are on at the first start; what operators changed is never touched."""

from __future__ import annotations

from app.automations.models import Automation
from app.automations.rules.flows import FLOWS
from app.db import insert_missing, transaction


def seed(*, now: int) -> None:
    """Add those that are missing; safe to run at every start."""
    rows = [
        {"name": flow.name, "active": True, "changed_at": now, "changed_by": "hub"}
        for flow in FLOWS
    ]
    with transaction() as tx:
        insert_missing(tx.connection, Automation, rows)
