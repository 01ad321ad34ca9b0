"""Doors of monitoring: health, the operations' overview, the daily report, metrics."""

from __future__ import annotations

from app.monitoring.routes import (  # noqa: F401 - their views are the overview's
    alerts,
    channels,
    health,
    maintenance,
    metrics,
    overview,
    page,
    queues,
    sla,
)

BLUEPRINTS = (
    health.blueprint,
    overview.blueprint,
    metrics.blueprint,
    page.blueprint,
    alerts.blueprint,
    channels.blueprint,
    maintenance.blueprint,
)
