"""The console's pages of the syncs: how each stands, a run and its items, run now, pause."""

from __future__ import annotations

from typing import Any, Literal

from flask import Blueprint, Response, current_app, flash, request, url_for
from flask_babel import gettext as _
from pydantic import BaseModel, Field

from app import clock
from app.access.guards import by, require
from app.db import reading
from app.errors import NotFound
from app.syncs.actions import schedules
from app.syncs.actions import start as starting
from app.syncs.queries import board, runs
from app.syncs.queries.runs import ItemFilter, RunFilter
from app.syncs.rules.table import FULL, SYNCS
from app.web import answer, arguments, body, done, live, wants_html

blueprint = Blueprint("syncs", __name__, url_prefix="/syncs")
ONE = "/runs/<int(max=9223372036854775807):run_id>"
HISTORY = 25
OPTIONS = [(name, sync.label) for name, sync in SYNCS.items()]


class Wanted(BaseModel):
    """Body of a command; the console also says that the person was asked."""

    why: str = Field("", max_length=500)
    confirmed: str = ""


class History(RunFilter):
    """The query string of the page."""

    per_page: int = Field(HISTORY, ge=1, le=100)

    @property
    def active(self) -> bool:
        """Whether anything is filtered out."""
        return bool(self.type or self.status)


@blueprint.get("")
@require("syncs.read", scope="sync:read")
def index() -> Response:
    """How each sync stands, and the runs there were."""
    wanted, now = arguments(History), clock.now()
    zone = current_app.extensions["settings"].zone
    with reading() as c:
        cards = board.board(c, zone, now)
        page = runs.runs(c, wanted)
    data = {"data": {card.sync.job_type: board.card_json(card) for card in cards}}
    context = {"cards": cards, "found": page, "filter": wanted, "sync_options": OPTIONS}
    return live(
        data, "syncs/index.html", "syncs/_live.html", (cards, page), **context, **_around(page),
        duration=board.duration,
    )  # fmt: skip


@blueprint.get(ONE)
@require("syncs.read", scope="sync:read")
def show(run_id: int) -> Response:
    """One run: how far it is, and its items with their errors."""
    wanted = arguments(ItemFilter)
    with reading() as c:
        run = runs.one(c, run_id)
        page = runs.items(c, run_id, wanted)
        letters = runs.letters(c, page.rows)
    sync = SYNCS[run.job_type.removeprefix("sync.")]
    context = {"run": run, "sync": sync, "found": page, "letters": letters, "filter": wanted}
    return live(
        {"data": runs.run_json(run)}, "syncs/show.html", "syncs/_run.html",
        (run, page, letters), **context, **_around(page, run_id=run_id), duration=board.duration,
    )  # fmt: skip


@blueprint.post("/<name>/run")
@require("syncs.run", scope="sync:write")
def run(name: str) -> Response:
    """Run a sync (or `full`) now."""
    if name not in (*SYNCS, FULL):
        raise NotFound("Sync not found")
    wanted = body(Wanted)
    if wants_html() and not (wanted.confirmed and wanted.why.strip()):
        return _ask(name, "run", wanted)
    syncs = starting.named(name)
    ids = starting.start(syncs, by=by(), why=wanted.why.strip() or None, now=clock.now())
    to = url_for("syncs.show", run_id=ids[0]) if name != FULL else url_for("syncs.index")
    return done({"message": "Sync started", "ids": ids}, to, status=202)


@blueprint.post("/<name>/<any(pause, resume):switch>")
@require("syncs.run", scope="sync:write")
def set_schedule(name: str, switch: Literal["pause", "resume"]) -> Response:
    """Take a sync off its schedule, or put it on again."""
    if name not in SYNCS:
        raise NotFound("Sync not found")
    wanted = body(Wanted)
    if switch == "pause" and wants_html() and not (wanted.confirmed and wanted.why.strip()):
        return _ask(name, switch, wanted)
    action = schedules.pause if switch == "pause" else schedules.resume
    action(name, by=by(), why=wanted.why.strip(), now=clock.now())
    if wants_html():
        told = _("Agenda pausada.") if switch == "pause" else _("Agenda retomada.")
        flash(f"{SYNCS[name].label}: {told}", "ok")
    return done({"name": name, "paused": switch == "pause"}, url_for("syncs.index"))


def _ask(name: str, command: str, wanted: Wanted) -> Response:
    """The question as a page: without JavaScript, or when the reason is missing."""
    label = SYNCS[name].label if name in SYNCS else _("as quatro, em ordem")
    title, effect, verb = questions(command, label)
    missing = _("Escreva o motivo") if wanted.confirmed else ""
    return answer(
        {},
        page="confirm.html",
        status=422 if missing else 200,
        title=title,
        effect=effect,
        verb=verb,
        action=request.path,
        fields={},
        cancel_url=url_for("syncs.index"),
        danger=False,
        reason={"label": _("Motivo"), "value": wanted.why, "error": missing},
    )


def questions(command: str, label: str) -> tuple[str, str, str]:
    """Title, effect and verb of a command that is asked about."""
    if command == "pause":
        effect = _("Deixa de rodar nos horários até ser retomada. Pelo botão ainda roda.")
        return _("Pausar a agenda: %(label)s?", label=label), effect, _("Pausar agenda")
    effect = _("Lê o que está pendente na origem e grava no destino; nada é gravado duas vezes.")
    return _("Executar agora: %(label)s?", label=label), effect, _("Executar agora")


def _around(page: Any, **values: Any) -> dict[str, str | None]:
    """Links to the neighbours of a page of a list."""
    given = {key: value for key, value in request.args.items() if key != "page"}
    here = request.endpoint or "syncs.index"
    before = {**given, "page": page.number - 1, **values}
    after = {**given, "page": page.number + 1, **values}
    return {
        "previous_url": url_for(here, **before) if page.number > 1 else None,
        "next_url": url_for(here, **after) if page.number < page.last else None,
    }
