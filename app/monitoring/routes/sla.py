"""Doors of the SLA: the five measures with their bands, course and causes; changing a band."""

from __future__ import annotations

from typing import Any, Literal

from flask import Response, current_app, flash, request, url_for
from flask_babel import gettext as _
from pydantic import BaseModel, Field
from sqlalchemy.engine import Connection

from app import clock, web
from app.access.guards import by, require
from app.db import reading
from app.errors import Invalid
from app.monitoring.actions.bands import change_band
from app.monitoring.queries import bands as band_queries
from app.monitoring.queries.blame import Item, blame
from app.monitoring.queries.samples import samples
from app.monitoring.queries.snapshot import take_snapshot
from app.monitoring.routes.overview import blueprint
from app.monitoring.rules import overview
from app.monitoring.rules.bands import SLA
from app.monitoring.rules.chart import RANGES, STEPS, chart
from app.monitoring.rules.forecast import WINDOW, Forecast, forecast
from app.monitoring.rules.snapshot import Snapshot

Range = Literal["1h", "6h", "24h", "7d", "30d"]
# Rows of the table behind a chart.
ROWS = 60


class SlaWanted(BaseModel):
    """Query string of the page."""

    range: Range = "24h"


class BandWanted(BaseModel):
    """New limits; `version` is the one that was looked at."""

    warning: float = Field(allow_inf_nan=False)
    critical: float = Field(allow_inf_nan=False)
    version: int = Field(0, ge=0)
    why: str = Field("", max_length=500)
    confirmed: str = ""


@blueprint.get("/sla")
@require("overview.read", scope="overview:read", network=True)
def sla() -> Response:
    """The five measures."""
    wanted, now = web.arguments(SlaWanted), clock.now()
    seen = take_snapshot(now)
    with reading() as c:
        cards = _cards(c, seen, wanted.range)
        changes = band_queries.history(c)
    context = {"cards": cards, "changes": changes, "chosen": wanted.range}
    page, part = "monitoring/sla.html", "monitoring/_sla.html"
    shown = [{k: v for k, v in card.items() if k != "raw"} for card in cards]
    return web.live(
        lambda: {"timestamp": clock.iso(now), "data": [_data(card) for card in cards]},
        page, part, (shown, changes, wanted.range), **context,
    )  # fmt: skip


def _cards(c: Connection, seen: Snapshot, chosen: str) -> list[dict[str, Any]]:
    """Per measure: gauge, chart, forecast, causes."""
    length, step = RANGES[chosen]
    # The chart ends with a whole slice, so that it stays the same for a while.
    until = seen.now - seen.now % clock.MINUTE + clock.MINUTE
    found = samples(c, SLA, step, until - length)
    recent = samples(c, SLA, "m", seen.now - WINDOW)
    items, numbers = blame(c, seen), band_queries.versions(c)
    cards = []
    for gauge in overview.gauges(seen):
        band, name = seen.limits[gauge.name], gauge.name
        points = [(sample.at, sample.mean) for sample in recent.get(name, [])]
        drawn = chart(found.get(name, []), until - length, until, STEPS[step], band)
        cards.append({
            "gauge": gauge, "band": band, "chart": drawn, "rows": drawn.slices[::-1][:ROWS],
            "forecast": _rounded(forecast(points, band)), "version": numbers[name],
            "items": [(item, _link(item)) for item in items[name]],
            "since": until - length, "until": until, "raw": seen.measures[name],
        })  # fmt: skip
    return cards


def _rounded(found: Forecast | None) -> Forecast | None:
    """To whole minutes: a page need not change for less."""
    if found is None:
        return None
    minutes = max(round(found.in_ms / clock.MINUTE), 1)
    return Forecast(found.level, minutes * clock.MINUTE)


def _link(item: Item) -> str:
    if item.endpoint not in current_app.view_functions:
        return ""
    query: dict[str, Any] = dict(item.query)
    return url_for(item.endpoint, _anchor=item.anchor or None, **query)


def _data(card: dict[str, Any]) -> dict[str, Any]:
    """A measure as JSON."""
    gauge, band, ahead = card["gauge"], card["band"], card["forecast"]
    return {
        "measure": gauge.name,
        "value": None if card["raw"] is None else round(card["raw"], 2),
        "band": gauge.level,
        "limits": {"warning": band.warning, "critical": band.critical, "version": card["version"]},
        "forecast": ahead and {"band": ahead.level, "in_seconds": ahead.in_ms // clock.SECOND},
        "items": [{"what": item.text, "n": item.n, "url": url} for item, url in card["items"]],
    }


@blueprint.post("/sla/bands/<measure>")
@require("sla.manage", scope="sla:write")
def set_band(measure: str) -> Response:
    """New limits for a measure."""
    wanted = web.body(BandWanted)
    if web.wants_html() and not (wanted.confirmed and wanted.why.strip()):
        return _ask(wanted)
    try:
        version = change_band(
            measure, wanted.warning, wanted.critical, seen=wanted.version, by=by(),
            why=wanted.why, now=clock.now(),
        )  # fmt: skip
    except Invalid:
        if not web.wants_html():
            raise
        flash(_("Limites não mudados: o crítico deve ser pior que o de alerta."), "bad")
        return web.done({}, url_for("monitoring.sla", _anchor=measure))
    if web.wants_html():
        flash(_("Limites mudados: valem desde já em alertas e gráficos."), "ok")
    data = {"message": "Band changed", "version": version}
    return web.done(data, url_for("monitoring.sla", _anchor=measure))


def _ask(wanted: BandWanted) -> Response:
    """The question as a page: without JavaScript, or when the reason is missing."""
    missing = _("Escreva o motivo") if wanted.confirmed else ""
    return web.answer(
        {},
        page="confirm.html",
        status=422 if missing else 200,
        title=_("Mudar os limites?"),
        effect=_("Os alertas e os gráficos passam a usar os novos limites agora."),
        verb=_("Mudar limites"),
        action=request.path,
        fields={name: request.form.get(name, "") for name in ("warning", "critical", "version")},
        cancel_url=url_for("monitoring.sla"),
        danger=False,
        reason={"label": _("Motivo"), "value": wanted.why, "error": missing},
    )
