"""The integration hub of Carinho com Você and its operations console."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from app.config import Settings


def create_app(settings: Settings | None = None) -> Flask:
    """Build the application, ground floor first, then the domains in the order data flows."""
    # Imported here, because the supervisor and the commands' help need none of it and start fast.
    from flask import Flask

    from app import (
        access,
        cli,
        db,
        deliveries,
        events,
        mappings,
        messages,
        monitoring,
        pipeline,
        queues,
        runbook,
        secrets,
        slow_statements,
        syncs,
        systems,
        templating,
        web,
    )
    from app.config import load

    app = Flask(__name__, template_folder="../templates", static_folder="../static")
    app.extensions["settings"] = settings or load()
    secrets.init_app(app)
    db.init_app(app)
    slow_statements.init_app(app)
    queues.init_app(app, pipeline.JOBS)
    web.init_app(app)
    templating.init_app(app)
    access.init_app(app)
    systems.init_app(app)
    events.init_app(app)
    mappings.init_app(app)
    deliveries.init_app(app)
    messages.init_app(app)
    syncs.init_app(app)
    monitoring.init_app(app)
    runbook.init_app(app)
    cli.init_app(app)
    return app
