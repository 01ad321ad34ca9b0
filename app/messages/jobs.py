"""The clock's door of the messages: ask for the state of the connection."""

from __future__ import annotations

import logging
import threading

from flask import Flask, current_app

from app.messages.actions import connection

log = logging.getLogger(__name__)


def watch() -> None:
    """Ask the provider from a thread of its own: its patience is not the clock's."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    running: threading.Thread | None = app.extensions.get("whatsapp_watch")
    if running is not None and running.is_alive():
        return
    thread = threading.Thread(target=_check, args=(app,), name="whatsapp-state", daemon=True)
    app.extensions["whatsapp_watch"] = thread
    thread.start()


def _check(app: Flask) -> None:
    with app.app_context():
        try:
            connection.check()
        except Exception:
            log.exception("the state of WhatsApp was not checked")
