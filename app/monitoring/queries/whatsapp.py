"""What is known of the WhatsApp connection."""

from __future__ import annotations

from app.monitoring.rules.snapshot import WhatsApp


def whatsapp_state() -> WhatsApp:
    """The last known state; `not_checked` while nobody asks Z-API, so nothing is claimed."""
    return WhatsApp()
