"""The four scheduled pulls, their runs and items."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Open the doors of the syncs."""
    from app.syncs.routes import api, pages

    app.register_blueprint(api.blueprint)
    app.register_blueprint(pages.blueprint)
