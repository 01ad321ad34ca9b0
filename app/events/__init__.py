"""Events: intake, idempotency, an event's way through the hub, retention."""

from __future__ import annotations

from flask import Flask

from app.events.routes import api, pages, short, webhooks


def init_app(app: Flask) -> None:
    """Open the doors of the events."""
    app.register_blueprint(api.blueprint)
    app.register_blueprint(pages.blueprint)
    app.register_blueprint(webhooks.blueprint)
    short.init_app(app)
