"""The hand-over note of a checklist, prefilled with what is open at this moment."""

from __future__ import annotations

from app.db import reading
from app.monitoring.rules.alerts import alerts
from app.monitoring.rules.snapshot import Snapshot
from app.runbook.queries import incidents
from app.runbook.queries.checklists import Sheet
from app.runbook.rules.checks import OWN_ALERT
from app.runbook.rules.handover import Answered, prefilled


def hand_over(found: Sheet, seen: Snapshot) -> str:
    """What is still open, one line each."""
    texts = [alert.message for alert in alerts(seen) if alert.type != OWN_ALERT]
    items = [Answered(item.title, item.state, item.note, item.last) for item in found.items]
    with reading() as c:
        return prefilled(items, texts, seen.dead_total, incidents.open_titles(c))
