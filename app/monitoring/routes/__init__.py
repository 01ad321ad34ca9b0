"""Doors of monitoring: health, the operations' overview, the daily report, metrics."""

from __future__ import annotations

from app.monitoring.routes import health, metrics, overview, page

BLUEPRINTS = (health.blueprint, overview.blueprint, metrics.blueprint, page.blueprint)
