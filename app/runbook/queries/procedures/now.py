"""What of the procedures is the case now: symptoms that the snapshot alone does not tell."""

from __future__ import annotations

from flask import current_app
from sqlalchemy.engine import Connection

from app.access.queries.keys import key_cards
from app.monitoring.rules.snapshot import Snapshot
from app.runbook.queries.procedures.backups import list_backups
from app.runbook.rules.procedures import PROCEDURES
from app.runbook.rules.procedures.maintenance import BACKUP_MS


def happening(c: Connection, seen: Snapshot) -> dict[str, str]:
    """Per procedure what is the case now, in words; '' where nothing is."""
    found = {key: procedure.happening(seen) for key, procedure in PROCEDURES.items()}
    return {**found, **due(c, seen.now)}


def due(c: Connection, now: int) -> dict[str, str]:
    """Chores of § 4 whose time has come: keys to replace each quarter, the weekly backup."""
    found = {}
    old = [card.row.name for card in key_cards(c, now) if card.state == "old"]
    if old:
        found["key_rotation"] = f"hora de trocar: {', '.join(old[:3])}"
    backups = list_backups(current_app.extensions["settings"].data_dir)
    if not backups or now - backups[0].at > BACKUP_MS:
        found["backup"] = "sem backup desta semana"
    return found
