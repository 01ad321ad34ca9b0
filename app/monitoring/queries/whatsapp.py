"""What is known of the WhatsApp connection."""

from __future__ import annotations

from flask import current_app
from sqlalchemy.engine import Connection

from app.messages.queries.connection import state
from app.messages.zapi import is_on
from app.monitoring.rules.snapshot import WhatsApp


def whatsapp_state(c: Connection, now: int) -> WhatsApp:
    """The last known state; `not_checked` while nobody asks Z-API, `unknown` while it has never
    answered and once it no longer does, so nothing is claimed."""
    known, asked = state(c), is_on(current_app.extensions["settings"])
    if known is None or (known.connected is None and not asked):
        return WhatsApp()
    silent = known.silent_since(now) if asked and known.connected is not False else None
    if silent is not None or known.connected is None:
        return WhatsApp(None, "unknown", None, known.due_at, silent)
    status = "connected" if known.connected else "disconnected"
    since = None if known.connected else known.since
    return WhatsApp(known.connected, status, since, known.due_at)
