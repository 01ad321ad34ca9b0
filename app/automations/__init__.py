"""Automations: steps that follow an event, each of them one delivery of the one mechanism."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Open the doors of the automations."""
    from app.automations import routes

    app.register_blueprint(routes.blueprint)
