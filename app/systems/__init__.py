"""The nine systems: base URLs, credentials, endpoints and their secrets, breaker, limits."""

from __future__ import annotations

from flask import Flask

from app.systems.routes import acts, api, breakers, pages


def init_app(app: Flask) -> None:
    """Open the doors of the systems."""
    app.register_blueprint(api.systems)
    app.register_blueprint(api.endpoints)
    app.register_blueprint(breakers.blueprint)
    app.register_blueprint(pages.blueprint)
    app.register_blueprint(acts.blueprint)
