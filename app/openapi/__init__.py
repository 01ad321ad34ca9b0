"""What programs may ask of the hub, as an OpenAPI document and as a page to read."""

from __future__ import annotations

from flask import Flask

from app.openapi.routes import blueprint


def init_app(app: Flask) -> None:
    """Open the doors of the description."""
    app.register_blueprint(blueprint)
