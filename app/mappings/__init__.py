"""Mappings: where an event goes (routes) and in which shape (versioned mappings)."""

from __future__ import annotations

from flask import Flask

from app.mappings.routes import acts, api, pages


def init_app(app: Flask) -> None:
    """Open the doors of the mappings."""
    for door in (api, pages, acts):
        app.register_blueprint(door.blueprint)
