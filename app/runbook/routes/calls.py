"""What every page says of incidents: how many are open, and which call the level of who looks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Flask, g
from flask_login import current_user
from werkzeug.local import LocalProxy

from app.db import reading
from app.paging import AnyRow
from app.runbook.queries.incidents import calling


def calls() -> Sequence[AnyRow]:
    """Escalated incidents that wait for the level of whoever is signed in."""
    if not current_user or not current_user.is_authenticated:
        return ()
    if "calls" not in g:
        with reading() as c:
            g.calls = calling(c, current_user.level)
    found: Sequence[AnyRow] = g.calls
    return found


def init_app(app: Flask) -> None:
    """Offer the calls to templates, and make them part of the frame that live parts carry along."""
    app.context_processor(_lazily)
    frame = app.extensions["frame"]
    app.extensions["frame"] = lambda: {**frame(), "calls": calls()}


def _lazily() -> dict[str, Any]:
    return {"calls": LocalProxy(calls)}
