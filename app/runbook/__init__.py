"""The runbook as a console: daily checklists, procedures as runs, incidents, hand-over."""

from __future__ import annotations

from flask import Flask

from app.runbook.routes import BLUEPRINTS, calls, contacts
from app.runbook.rules.glossary import TERMS
from app.runbook.rules.procedures import for_alert, subject_for


def init_app(app: Flask) -> None:
    """Open the doors of the runbook."""
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    app.jinja_env.globals["glossary"] = TERMS
    app.jinja_env.globals["procedure_for"] = for_alert
    app.jinja_env.globals["subject_for"] = subject_for
    calls.init_app(app)
    contacts.init_app(app)
