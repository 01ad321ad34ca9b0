"""Deliveries: everything that leaves the hub, in one mechanism."""

from __future__ import annotations

from flask import Flask

from app.deliveries.routes import dlq, events


def init_app(app: Flask) -> None:
    """Open the doors of the deliveries."""
    app.register_blueprint(dlq.blueprint)
    app.register_blueprint(events.blueprint)
