"""The integration hub of Carinho com Você and its operations console."""

from __future__ import annotations

import gc
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from app.config import Settings

ROOMS = ("secrets", "db", "slow_statements", "pipeline", "web", "templating")
DOMAINS = (
    "access",
    "systems",
    "events",
    "mappings",
    "deliveries",
    "messages",
    "automations",
    "syncs",
    "monitoring",
    "runbook",
    "openapi",
)


def create_app(settings: Settings | None = None) -> Flask:
    """Build the application: the ground floor, the domains as data flows, the commands."""
    # Loading makes much and drops nothing: collections in the middle cost a third of the start.
    gc.disable()
    try:
        return _build(settings)
    finally:
        gc.enable()


def _build(settings: Settings | None) -> Flask:
    # Imported here, because the supervisor and the commands' help need none of it and start fast.
    from flask import Flask

    from app.config import load

    app = Flask(__name__, template_folder="../templates", static_folder="../static")
    app.extensions["settings"] = settings or load()
    for name in (*ROOMS, *DOMAINS, "cli"):
        import_module(f"app.{name}").init_app(app)
    return app
