"""Mappings: where an event goes (routes) and in which shape (versioned mappings)."""

from __future__ import annotations

from flask import Flask

from app.mappings import routes


def init_app(app: Flask) -> None:
    """Open the doors of the mappings."""
    app.register_blueprint(routes.blueprint)
