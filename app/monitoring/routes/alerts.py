"""Doors of the alerts: those of the moment as JSON, the page, one alert, what people do with it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, current_app, flash, request, url_for
from flask_babel import gettext as _
from pydantic import BaseModel, Field

from app import clock, web
from app.access.guards import by, require
from app.access.rules.local_path import local_path
from app.db import reading
from app.errors import Invalid
from app.monitoring.actions import alerts as actions
from app.monitoring.queries import alerts as queries
from app.monitoring.queries.alerts import AlertFilter
from app.monitoring.queries.channels import notices
from app.monitoring.queries.maintenance import windows
from app.monitoring.queries.snapshot import take_snapshot
from app.monitoring.routes.page import link
from app.monitoring.rules import alerts as rules
from app.monitoring.rules.advice import advice
from app.monitoring.rules.bands import CRITICAL, WARNING
from app.monitoring.rules.board import ENTRIES, TYPES, board
from app.monitoring.rules.moments import local_moment
from app.monitoring.rules.snapshot import Snapshot
from app.paging import AnyRow
from app.systems.rules.defaults import KNOWN

blueprint = Blueprint("alerts", __name__)
ABILITY, SCOPE = "overview.read", "overview:read"
MANAGE, WRITE = "alerts.manage", "alerts:write"
ONE = "/alerts/<int(max=9223372036854775807):alert_id>"


class SnoozeWanted(BaseModel):
    """For how long (minutes), or until when (a moment; without offset in the operation's zone)."""

    minutes: int = Field(60, ge=1, le=7 * 24 * 60)
    until: str = Field("", max_length=40)
    why: str = Field("", max_length=400)


class NoteWanted(BaseModel):
    """A note."""

    text: str = Field("", max_length=500)


@blueprint.get("/alerts")
@require(ABILITY, scope=SCOPE, network=True)
def index() -> Response:
    """Alerts of the moment; the page shows their history too."""
    now = clock.now()
    seen = take_snapshot(now)
    if not web.wants_html():
        return web.answer(alerts_data(seen))
    wanted = web.arguments(AlertFilter)
    with reading() as c:
        stored, planned = queries.open_alerts(c), windows(c, now)
        past, following = queries.closed_alerts(c, wanted)
    url = url_for("alerts.index")
    context = {
        "shown": board(rules.alerts(seen), stored, now),
        "planned": planned,
        "past": [_past(row) for row in past],
        "filter": wanted,
        "next_url": f"{url}?{wanted.query_with(after=following)}" if following else None,
        "first_url": f"{url}?{wanted.query_with(after=None)}" if wanted.after else None,
    }
    return web.live({}, "alerts/index.html", "alerts/_live.html", context, **context, **_words(now))


def _words(now: int) -> dict[str, Any]:
    """What the pages need to speak."""
    labels = {name: known.label for name, known in KNOWN.items()}
    return {"labels": labels, "types": TYPES, "advice": advice, "to": link, "now": now}


def _past(row: AnyRow) -> dict[str, Any]:
    return {**row._mapping, "lasted": (row.closed_at or 0) - row.opened_at}


def alerts_data(seen: Snapshot) -> dict[str, Any]:
    """GET /alerts in the contract's shape."""
    found = rules.alerts(seen)
    return {
        "timestamp": clock.iso(seen.now),
        "total": len(found),
        "critical": rules.count(found, CRITICAL),
        "warning": rules.count(found, WARNING),
        "alerts": [alert.as_data() for alert in found],
    }


@blueprint.get("/api/alerts")
@require(ABILITY, scope=SCOPE)
def stored() -> Response:
    """Open alerts with their numbers, for those who act on them."""
    with reading() as c:
        return web.answer({"data": [alert_data(row) for row in queries.open_alerts(c)]})


@blueprint.get(ONE)
@require(ABILITY, scope=SCOPE)
def show(alert_id: int) -> Response:
    """One alert with all that happened."""
    context = _whole(alert_id, clock.now())
    row, told = context["row"], context["entries"]
    data = {**alert_data(row), "entries": [entry_data(entry) for entry in told]}
    seen = (row[:9], row.closed_at, row.acknowledged_by, context["asleep"], told,
            context["notices"])  # fmt: skip
    page, part = "alerts/show.html", "alerts/_alert.html"
    return web.live({"data": data}, page, part, seen, **context, errors={}, typed={})


def _whole(alert_id: int, now: int) -> dict[str, Any]:
    """What the page of an alert shows. NotFound."""
    with reading() as c:
        row, told = queries.find_alert(c, alert_id), queries.entries(c, alert_id)
        sent = notices(c, alert_id)
    asleep = bool(row.snoozed_until and row.snoozed_until > now)
    context = {"row": row, "entries": told, "asleep": asleep, "said": ENTRIES, "notices": sent}
    return context | _words(now)


@blueprint.post(f"{ONE}/acknowledge")
@require(MANAGE, scope=WRITE)
def acknowledge(alert_id: int) -> Response:
    """Take it on."""
    actions.acknowledge(alert_id, by=by(), now=clock.now())
    return _told(alert_id, _("Você assumiu o alerta: os outros veem que alguém está cuidando."))


@blueprint.post(f"{ONE}/release")
@require(MANAGE, scope=WRITE)
def release(alert_id: int) -> Response:
    """Give it back."""
    actions.release(alert_id, by=by(), now=clock.now())
    return _told(alert_id, _("Alerta devolvido: ninguém está cuidando dele agora."))


@blueprint.post(f"{ONE}/snooze")
@require(MANAGE, scope=WRITE)
def snooze(alert_id: int) -> Response:
    """No notifications about it until a time; a time that is none is asked for again."""
    now = clock.now()
    try:
        wanted = web.body(SnoozeWanted)
        actions.snooze(alert_id, _until(wanted, now), by=by(), why=wanted.why, now=now)
    except Invalid as refused:
        if not web.wants_html():
            raise
        return _ask_again(alert_id, refused, now)
    return _told(alert_id, _("Silenciado: volta a avisar no fim do prazo ou se ficar crítico."))


def _until(wanted: SnoozeWanted, now: int) -> int:
    """The end of a sleep (ms): the moment if one is named, else so many minutes on. Invalid."""
    if not wanted.until:
        return now + wanted.minutes * clock.MINUTE
    until = local_moment(wanted.until, current_app.extensions["settings"].zone)
    if until is None:
        raise Invalid(details={"until": ["is not a moment"]})
    return until


def _ask_again(alert_id: int, refused: Invalid, now: int) -> Response:
    """The page with what is wrong and what was typed."""
    words = {
        "until": _("Informe data e hora, no futuro e no máximo 7 dias à frente"),
        "why": _("O motivo tem no máximo 400 caracteres"),
    }
    # Minutes have no field of their own: a button sends them.
    errors = {name: text for name, text in words.items() if name in refused.details} or {
        "until": words["until"]
    }
    context = _whole(alert_id, now)
    return web.answer(
        {}, "alerts/show.html", status=422, live=False, errors=errors, typed=request.form, **context
    )


@blueprint.post(f"{ONE}/wake")
@require(MANAGE, scope=WRITE)
def wake(alert_id: int) -> Response:
    """Notifications again."""
    actions.wake(alert_id, by=by(), now=clock.now())
    return _told(alert_id, _("Avisos deste alerta religados."))


@blueprint.post(f"{ONE}/notes")
@require(MANAGE, scope=WRITE)
def add_note(alert_id: int) -> Response:
    """Write something down."""
    actions.add_note(alert_id, web.body(NoteWanted).text, by=by(), now=clock.now())
    return _told(alert_id, _("Nota guardada."))


def _told(alert_id: int, text: str) -> Response:
    """The alert for programs, the page they came from for people."""
    with reading() as c:
        data = alert_data(queries.find_alert(c, alert_id))
    if web.wants_html():
        flash(text, "ok")
    back = request.referrer or url_for("alerts.show", alert_id=alert_id)
    return web.done({"message": text, "data": data}, local_path(back, request.host))


def alert_data(row: AnyRow) -> dict[str, Any]:
    """A stored alert as JSON."""
    return {
        "id": row.id, "type": row.type, "subject": row.subject, "level": row.level,
        "message": row.message, "value": row.value, "threshold": row.threshold,
        "opened_at": clock.iso(row.opened_at), "last_seen_at": clock.iso(row.last_seen_at),
        "closed_at": clock.iso(row.closed_at), "acknowledged_by": row.acknowledged_by,
        "acknowledged_at": clock.iso(row.acknowledged_at),
        "snoozed_until": clock.iso(row.snoozed_until),
    }  # fmt: skip


def entry_data(entry: AnyRow) -> dict[str, Any]:
    """Something that happened, as JSON."""
    at = clock.iso(entry.at)
    return {"at": at, "kind": entry.kind, "text": entry.text, "by": entry.by}
