"""An incident's timeline: things are added, never changed."""

from __future__ import annotations

from sqlalchemy import insert, update

from app.access.actor import Actor
from app.db import Tx
from app.runbook.models.incidents import Incident, IncidentEntry


def add(
    tx: Tx, incident_id: int, kind: str, now: int, text: str = "", by: str = "", url: str = ""
) -> None:
    """Add an entry of a kind of `rules.incidents.KINDS`; `by` is '' for the hub."""
    row = {
        "incident_id": incident_id, "at": now, "kind": kind, "text": text, "by_name": by[:120],
        "url": url[:200],
    }  # fmt: skip
    tx.connection.execute(insert(IncidentEntry).values(**row))


def add_by(
    tx: Tx, incident_id: int, kind: str, now: int, *, by: Actor, text: str = "", url: str = ""
) -> None:
    """The same for what a person did: it also says that somebody is at work."""
    add(tx, incident_id, kind, now, text, by.name, url)
    tx.connection.execute(update(Incident).where(Incident.id == incident_id).values(touched_at=now))
