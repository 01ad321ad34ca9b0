"""What is known of the WhatsApp connection."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from app.messages.queries.connection import state
from app.monitoring.rules.snapshot import WhatsApp


def whatsapp_state(c: Connection, now: int) -> WhatsApp:
    """The last known state; `not_checked` while nobody asks Z-API, `unknown` once it no longer
    answers, so nothing is claimed."""
    known = state(c)
    if known is None:
        return WhatsApp()
    silent = known.silent_since(now) if known.connected else None
    if silent is not None:
        return WhatsApp(None, "unknown", None, known.due_at, silent)
    status = "connected" if known.connected else "disconnected"
    since = None if known.connected else known.since
    return WhatsApp(known.connected, status, since, known.due_at)
