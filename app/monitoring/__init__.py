"""Monitoring: SLA bands, alerts, health, the daily report; and the clock's housekeeping."""

from __future__ import annotations

from flask import Flask

from app.monitoring.queries.probes import RedisProbe
from app.monitoring.routes import BLUEPRINTS, page


def init_app(app: Flask) -> None:
    """Open the doors of monitoring, with a Redis client that never waits long."""
    app.extensions["redis_probe"] = RedisProbe(app.extensions["redis_url"])
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    page.init_app(app)
