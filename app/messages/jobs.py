"""The clock's doors of the messages: the state of the connection, the daily cleanup."""

from __future__ import annotations

import logging
import threading

from flask import Flask, current_app

from app import clock
from app.messages.actions import connection
from app.messages.actions.cleanup import cleanup_ticks

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


def cleanup() -> None:
    """Forget ticks of messages that are not ours."""
    cleanup_ticks(clock.now())


def _check(app: Flask) -> None:
    with app.app_context():
        try:
            connection.check()
        except Exception:
            log.exception("the state of WhatsApp was not checked")
