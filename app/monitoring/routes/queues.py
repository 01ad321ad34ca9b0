"""Doors of the queues: sizes, ages and workers; restart them, add some for a while."""

from __future__ import annotations

from typing import Any, Literal

from flask import Response, current_app, flash, request, url_for
from flask_babel import gettext as _
from pydantic import BaseModel, Field
from sqlalchemy.engine import Connection

from app import clock, heartbeats, queues, web
from app.access.actions import audit
from app.access.guards import by, require
from app.db import reading, transaction
from app.errors import Unavailable
from app.monitoring.actions import scale as actions
from app.monitoring.queries.samples import samples
from app.monitoring.queries.snapshot import take_snapshot
from app.monitoring.queries.workforce import in_flight, past_orders, running_orders
from app.monitoring.routes.overview import blueprint
from app.monitoring.rules import bands, overview
from app.monitoring.rules.chart import RANGES, STEPS, chart
from app.monitoring.rules.measures import SIZE
from app.monitoring.rules.snapshot import Snapshot
from app.monitoring.rules.workers import LINE_OF, LINES, MINUTES, MOST
from app.supervisor import premises, procfile
from app.systems.rules.defaults import KNOWN

MANAGE, WRITE = "workers.manage", "workers:write"


class QueuesWanted(BaseModel):
    """Query string of the page."""

    range: Literal["1h", "6h", "24h", "7d", "30d"] = "6h"


class Asked(BaseModel):
    """Whether the person was asked, and why they do it."""

    why: str = Field("", max_length=500)
    confirmed: str = ""


class ScaleWanted(Asked):
    """So many workers of the queue for so many minutes."""

    count: int = Field(2, ge=1, le=MOST)
    minutes: int = 60


@blueprint.get("/queues", endpoint="queues")
@require("overview.read", scope="overview:read", network=True)
def show_queues() -> Response:
    """The five queues with their workers."""
    wanted, now = web.arguments(QueuesWanted), clock.now()
    seen = take_snapshot(now)
    with reading() as c:
        cards = _cards(c, seen, wanted.range)
        past = past_orders(c)
        kinds = {process.kind: process for process in heartbeats.alive(c, now)}
    context = {"cards": cards, "past": past, "chosen": wanted.range, "limit": bands.QUEUE_SIZE,
               "scheduler": kinds.get("scheduler"), "minutes": MINUTES, "most": MOST,
               "line_queues": LINES,
               "labels": {name: known.label for name, known in KNOWN.items()}}  # fmt: skip
    data = {"timestamp": clock.iso(now), "data": [_data(card) for card in cards]}
    seen_part = [{**card, "workers": [(*w[:2], w[4]) for w in card["workers"]]} for card in cards]
    shown = (seen_part, past, wanted.range, bool(kinds.get("scheduler")))
    page, part = "monitoring/queues.html", "monitoring/_queues_page.html"
    return web.live(data, page, part, shown, **context)


def _cards(c: Connection, seen: Snapshot, chosen: str) -> list[dict[str, Any]]:
    """Per queue: size, age, course, workers, what is under way, the order that runs."""
    length, step = RANGES[chosen]
    until = seen.now - seen.now % clock.MINUTE + clock.MINUTE
    course = samples(c, [f"{SIZE}{queue}" for queue in queues.QUEUES], step, until - length)
    alive, flying, orders = heartbeats.alive(c, seen.now), in_flight(c), running_orders(c)
    usual = procfile.scale(current_app.extensions["settings"].workers, LINES)
    limit = bands.Band("", "", bands.QUEUE_SIZE, bands.QUEUE_SIZE)
    return [
        {
            "row": row,
            "line": LINE_OF[row.name],
            "usual": usual[LINE_OF[row.name]],
            "chart": chart(
                course.get(f"{SIZE}{row.name}", []), until - length, until, STEPS[step],
                None if row.name == queues.RETRY else limit,
            ),
            "since": until - length,
            "until": until,
            "workers": [
                (p.host, p.pid, p.started_at, p.beat_at, p.doing)
                for p in alive
                if p.kind == f"worker:{row.name}"
            ],
            "flying": sorted(flying.get(row.name, {}).items()),
            "order": orders.get(LINE_OF[row.name]),
            "large": row.name != queues.RETRY and row.waiting > bands.QUEUE_SIZE,
        }
        for row in overview.queue_rows(seen)
    ]  # fmt: skip


def _data(card: dict[str, Any]) -> dict[str, Any]:
    """A queue as JSON."""
    row, order = card["row"], card["order"]
    return {
        "queue": row.name, "line": card["line"], "size": row.waiting,
        "oldest_seconds": row.oldest // clock.SECOND, "in_flight": dict(card["flying"]),
        "workers": [
            {"host": host, "pid": pid, "started_at": clock.iso(at), "beat_at": clock.iso(beat),
             "doing": doing}
            for host, pid, at, beat, doing in card["workers"]
        ],
        "usual_workers": card["usual"],
        "order": order and {"id": order.id, "count": order.count,
                            "ends_at": clock.iso(order.ends_at)},
    }  # fmt: skip


@blueprint.post("/workers/restart")
@require(MANAGE, scope=WRITE)
def restart_workers() -> Response:
    """Renew all workers one after the other; what they hold is finished first."""
    asked = web.body(Asked)
    if web.wants_html() and not (asked.confirmed and asked.why.strip()):
        title = _("Reiniciar os workers?")
        effect = _("Um de cada vez: cada um termina o que está enviando e volta. Nada se perde.")
        return _ask(title, effect, _("Reiniciar workers"), asked, {})
    pid = premises.renew(current_app.extensions["settings"].data_dir)
    if pid is None:
        raise Unavailable(
            _("Nenhum supervisor roda nesta máquina: peça ao Desenvolvimento que reinicie.")
        )
    with transaction() as tx:
        audit.record(tx, by(), "workers.restarted", "all", asked.why, None, {"supervisor": pid})
    return _told(_("Os workers estão sendo reiniciados, um de cada vez."), {"supervisor": pid})


@blueprint.post("/queues/<queue>/workers")
@require(MANAGE, scope=WRITE)
def add_workers(queue: str) -> Response:
    """More workers on a queue for a while."""
    line = LINE_OF.get(queue, queue)
    wanted = web.body(ScaleWanted)
    settings = current_app.extensions["settings"]
    usual = procfile.scale(settings.workers, LINES).get(line, 1)
    if web.wants_html() and not (wanted.confirmed and wanted.why.strip()):
        fields = {"count": wanted.count, "minutes": wanted.minutes}
        effect = _("%(n)s workers por %(m)s minutos; depois volta sozinho a %(usual)s.",
                   n=wanted.count, m=wanted.minutes, usual=usual)  # fmt: skip
        return _ask(_("Acrescentar workers?"), effect, _("Acrescentar"), wanted, fields)
    made = actions.order_workers(
        line, wanted.count, wanted.minutes, usual=usual, by=by(), why=wanted.why, now=clock.now()
    )
    actions.write_scale(settings.data_dir)
    return _told(_("Pedido feito: os workers a mais começam em segundos."), {"id": made})


@blueprint.post("/queues/orders/<int(max=9223372036854775807):order_id>/end")
@require(MANAGE, scope=WRITE)
def end_order(order_id: int) -> Response:
    """Back to the usual number."""
    actions.end_order(order_id, by=by(), now=clock.now())
    actions.write_scale(current_app.extensions["settings"].data_dir)
    return _told(_("De volta ao número de costume; o que está em envio termina antes."), {})


def _told(text: str, data: dict[str, Any]) -> Response:
    if web.wants_html():
        flash(text, "ok")
    return web.done({"message": text, **data}, url_for("monitoring.queues"), status=202)


def _ask(title: str, effect: str, verb: str, asked: Asked, fields: dict[str, Any]) -> Response:
    """The question as a page: without JavaScript, or when the reason is missing."""
    missing = _("Escreva o motivo") if asked.confirmed else ""
    return web.answer(
        {}, page="confirm.html", status=422 if missing else 200, title=title, effect=effect,
        verb=verb, action=request.path, fields=fields, cancel_url=url_for("monitoring.queues"),
        danger=False, reason={"label": _("Motivo"), "value": asked.why, "error": missing},
    )  # fmt: skip
