"""Doors of what is there to read: the runbook as one document, the glossary, help."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app, url_for
from flask_babel import gettext as _
from markupsafe import Markup
from pydantic import BaseModel, Field
from werkzeug.routing import BuildError

from app import clock, web
from app.access.guards import require
from app.config import Settings
from app.db import reading
from app.monitoring.queries.bands import limits
from app.monitoring.rules import bands
from app.monitoring.rules.bands import Band
from app.runbook.queries import checklists, contacts
from app.runbook.routes.door import blueprint
from app.runbook.rules import shifts
from app.runbook.rules.glossary import TERMS
from app.runbook.rules.handbook import TROUBLE, UPKEEP, Chapter, Page, plain

READ = "overview.read"


class Wanted(BaseModel):
    """Query string of the document: words to look for."""

    q: str = Field("", max_length=100)


@blueprint.get("/runbook")
@require(READ)
def document() -> Response:
    """The whole runbook, with the limits of today."""
    settings: Settings = current_app.extensions["settings"]
    wanted = web.arguments(Wanted).q.strip()
    with reading() as c:
        found = limits(c)
        context: dict[str, Any] = {
            "shifts": [
                (shifts.LABELS[name], time, checklists.template(c, name).lines)
                for name, time in shifts.TIMES.items()
            ],
            "bands": [_band(band) for band in found.values()],
            "contacts": contacts.contacts(c),
            "rules": contacts.rules(c)[1],
        }
    told = _limits(settings, found)
    context |= {
        "chapters": [(chapter, chapter.told(told)) for chapter in TROUBLE],
        "upkeep": [(chapter, chapter.told(told)) for chapter in UPKEEP],
        "settings": settings,
        "link": link,
        "start": start,
        "made_at": clock.now(),
        "q": wanted,
        "mentions": _mentions,
    }
    return web.answer({}, page="runbook/document/index.html", **context)


def _mentions(part: Markup, wanted: str) -> bool:
    """Whether a part of the page has all the words."""
    said = plain(part.striptags())
    return all(word in said for word in plain(wanted).split())


def _limits(settings: Settings, found: dict[str, Band]) -> dict[str, str]:
    """The limits that the text names."""
    return {
        "whatsapp": str(bands.WHATSAPP_MINUTES),
        "dlq_warning": number(found[bands.DLQ].warning),
        "failures": str(settings.breaker_failures),
        "errors": number(bands.ERRORS.warning),
        "queue": number(bands.QUEUE_SIZE),
        "latency": number(found[bands.LATENCY].critical),
        "events": str(settings.event_retention_days),
        "letters": str(settings.dlq_retention_days),
    }


def _band(band: Band) -> tuple[str, str, str, str]:
    """A measure and its three bands in words, as § 6 writes them."""
    unit = f" {band.unit}" if band.unit else ""
    low, high = number(band.warning), number(band.critical)
    if band.low_is_bad:
        return band.label, f"> {low}{unit}", f"{high}–{low}{unit}", f"< {high}{unit}"
    return band.label, f"< {low}{unit}", f"{low}–{high}{unit}", f"> {high}{unit}"


def number(value: float) -> str:
    """1.234 or 5,6, as people write it here."""
    text = f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"
    return text.translate(str.maketrans(",.", ".,"))


def link(page: Page) -> str:
    """The page of the console; '' where it does not exist."""
    query: dict[str, Any] = dict(page.query)
    return _url(page.endpoint, **query)


def start(chapter: Chapter) -> str:
    """Where the procedure is begun."""
    return _url("runbook.procedure", key=chapter.key)


def _url(endpoint: str, **values: Any) -> str:
    try:
        return url_for(endpoint, **values)
    except BuildError:
        return ""


@blueprint.get("/glossario")
@require(READ)
def glossary() -> Response:
    """The words and what they mean."""
    data = {key: {"word": term.word, "meaning": term.meaning} for key, term in TERMS.items()}
    return web.answer({"data": data}, page="runbook/glossary.html")


@blueprint.get("/ajuda")
@require(READ)
def help() -> Response:
    """Where to find things, and the keys."""
    with reading() as c:
        found = contacts.contacts(c)
    symptoms = [(chapter.title, chapter.anchor, chapter.impact) for chapter in TROUBLE]
    return web.answer(
        {}, page="runbook/help.html", contacts=found, symptoms=symptoms, keyboard=_keyboard()
    )


def _keyboard() -> list[tuple[str, str]]:
    """The keys of the console; the letters are those of the navigation."""
    return [
        ("?", _("mostra os atalhos")),
        ("/", _("vai para a procura da lista")),
        ("Ctrl + K", _("vai para uma página pelo nome, por um número de evento ou telefone")),
        ("g + " + _("letra"), ""),
        ("j / k", _("linha seguinte, linha anterior")),
        ("x", _("seleciona a linha")),
        ("Enter", _("abre a linha")),
        ("r", _("reprocessa a linha")),
        ("e", _("arquiva a linha")),
    ]
