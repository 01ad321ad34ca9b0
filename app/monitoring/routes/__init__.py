"""Doors of monitoring: health, the operations' overview, the daily report, metrics."""

from __future__ import annotations

from app.monitoring.routes import alerts, health, maintenance, metrics, overview, page, queues, sla  # noqa: F401 - their views are the overview's

BLUEPRINTS = (
    health.blueprint,
    overview.blueprint,
    metrics.blueprint,
    page.blueprint,
    alerts.blueprint,
    maintenance.blueprint,
)
