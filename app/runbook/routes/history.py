"""Checklists of the past: day by day, and one day as a sheet of paper."""

from __future__ import annotations

from datetime import date

from flask import Response, current_app, url_for
from pydantic import BaseModel

from app import clock, web
from app.access.guards import require
from app.db import reading
from app.errors import NotFound
from app.runbook.queries import checklists as queries
from app.runbook.routes.door import blueprint
from app.runbook.routes.shapes import sheet_data
from app.runbook.rules import shifts
from app.runbook.rules.ticks import UNDO, WORDS


class HistoryWanted(BaseModel):
    """Query string of the history: days before this one."""

    antes: date | None = None


@blueprint.get("/hoje/historico")
@require("overview.read")
def history() -> Response:
    """Days with their checklists, newest first."""
    zone, now = current_app.extensions["settings"].zone, clock.now()
    before = web.arguments(HistoryWanted).antes
    with reading() as c:
        days = queries.history(c, before.isoformat() if before else "", now, zone)
    older = None
    if len(days) == queries.DAYS_AT_ONCE:
        older = url_for("runbook.history", antes=days[-1][0])
    data = [
        {"day": day, "checklists": [{"shift": b.row.shift, "state": b.state} for b in briefs]}
        for day, briefs in days
    ]
    return web.answer(
        {"data": data},
        "runbook/history.html",
        days=days,
        older=older,
        narrowed=before is not None,
        labels=shifts.LABELS,
        times=shifts.TIMES,
    )


@blueprint.get("/hoje/historico/<day>")
@require("overview.read")
def day(day: str) -> Response:
    """One day as a sheet: what the data said, who answered what, the signature."""
    zone, now = current_app.extensions["settings"].zone, clock.now()
    try:
        wanted = date.fromisoformat(day).isoformat()
    except ValueError:
        raise NotFound("Day not found") from None
    with reading() as c:
        sheets = queries.day_sheets(c, wanted, now, zone)
    if not sheets:
        raise NotFound("Day not found")
    return web.answer(
        lambda: {"data": [sheet_data(sheet) for sheet in sheets]},
        "runbook/day.html",
        day=wanted,
        sheets=sheets,
        times=shifts.TIMES,
        answers={**WORDS, UNDO: "desfeito"},
    )


@blueprint.app_template_filter("as_day")
def as_day(text: str) -> str:
    """2026-11-23 as 23/11/2026."""
    return "/".join(reversed(text.split("-")))
