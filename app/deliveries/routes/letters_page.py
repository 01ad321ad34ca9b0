"""The console's pages of dead letters: the list, its CSV, one letter."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from flask import Blueprint, Response, url_for
from sqlalchemy.engine import Connection

from app import clock, counters, web
from app.access.guards import require, sees_whole
from app.access.rules.masking import first_line, shown, words
from app.db import reading
from app.deliveries.queries import dead_letters as queries
from app.deliveries.queries import letter_page as page_queries
from app.deliveries.queries.bulks import ACTIVE, recent_bulks
from app.deliveries.queries.letter_page import LetterFilter
from app.deliveries.routes.shapes import letter_data, letter_with_attempts
from app.deliveries.rules.advice import advice, attempt_words, cause_words
from app.deliveries.rules.retry import CONDITIONS, describe
from app.mappings.queries.plan import current_plan
from app.numbers import whole
from app.paging import AnyRow, Page
from app.systems.queries.snapshot import systems
from app.systems.rules.defaults import CARRIERS
from app.templating import when
from app.web.csv import download

blueprint = Blueprint("dead_letters", __name__, url_prefix="/dlq")
ONE = "/<int(max=9223372036854775807):letter_id>"


@blueprint.get("")
@require("dlq.read", scope="dlq:read")
def index() -> Response:
    """Dead letters, newest first, with the causes of the open ones."""
    wanted, now = web.arguments(LetterFilter), clock.now()
    with reading() as c:
        page = queries.list_dead_letters(c, wanted, now)
        part = _part(c, wanted, page, now)
        context = {**part, **_choices(c, wanted, page)} if not web.wants_part() else part
    data = partial(page.as_json, letter_data)
    seen = {key: value for key, value in part.items() if key != "seen_at"}
    return web.live(data, "deliveries/index.html", "deliveries/_list.html", seen, **context)


def _part(c: Connection, wanted: LetterFilter, page: Page, now: int) -> dict[str, Any]:
    """What the live part shows."""
    answers = page_queries.last_answers(c, [row.delivery_id for row in page.rows])
    return {
        "filter": wanted,
        "found": page,
        "lines": {delivery: first_line(body) for delivery, body in answers.items()},
        "labels": _labels(c),
        "newer": page_queries.newer(c, wanted, now),
        "newer_url": _url(wanted),
        "groups": _groups(c, wanted),
        "counts": page_queries.state_counts(c),
        "bulks": [row for row in recent_bulks(c, 5) if row.state in ACTIVE],
        "next_url": _next(wanted, page),
        "first_url": _url(wanted, after=None) if wanted.after else None,
        "seen_at": now,
    }


def _choices(c: Connection, wanted: LetterFilter, page: Page) -> dict[str, Any]:
    """What the filter offers, and where the live part asks."""
    # The first row, beyond which later letters wait to be asked for.
    newest = queries.key_of(page.rows[0]) if page.rows and page.number == 1 else ""
    top = wanted.upto or newest
    classes = [(name, describe_class(name)) for name in page_queries.error_classes(c)]
    return {
        "classes": classes,
        "types": sorted({*current_plan(c), wanted.event_type} - {""}),
        "cause": page_queries.cause_of(c, wanted.cause) if wanted.cause else None,
        "live_url": _url(wanted, upto=None if wanted.after else top),
        "csv_url": f"{url_for('dead_letters.export')}?{wanted.query_with(after=None)}",
    }


def _groups(c: Connection, wanted: LetterFilter) -> list[dict[str, Any]]:
    """Causes of the open letters, where the list is not narrowed to something else."""
    if wanted.state != "open" or wanted.fields().keys() - {"system"}:
        return []
    return queries.cause_groups(c, wanted.system)


def _next(wanted: LetterFilter, page: Page) -> str | None:
    if len(page.rows) < wanted.per_page:
        return None
    return _url(wanted, after=queries.key_of(page.rows[-1]))


def _url(wanted: LetterFilter, **changes: Any) -> str:
    query = wanted.query_with(**changes)
    return f"{url_for('dead_letters.index')}{'?' if query else ''}{query}"


def _labels(c: Connection) -> dict[str, str]:
    return CARRIERS | {name: system.label for name, system in systems(c).items()}


def say(attempt: AnyRow) -> str:
    """How an attempt ended, for people."""
    return attempt_words(attempt.status, attempt.error_class)


@blueprint.app_template_filter("cause_words")
def _cause_words(cause: Any) -> str:
    """A cause (a row or a group) for people."""
    if isinstance(cause, dict):
        return cause_words(cause["message"], cause["status"])
    return cause_words(cause.message, cause.status)


def describe_class(error_class: str) -> str:
    """A class of errors for people: what it means, or the HTTP status it is."""
    status = whole(error_class.removeprefix("http_"))
    if error_class not in CONDITIONS and status is not None:
        return describe(status, "")
    return describe(None, error_class)


@blueprint.get("/export.csv")
@require("dlq.read", scope="dlq:read")
def export() -> Response:
    """The whole filter as a file, read in pieces: a slow reader holds no connection."""
    wanted = web.arguments(LetterFilter)
    head = (
        "mensagem", "evento", "tipo", "origem", "sistema", "estado", "motivo", "http", "classe",
        "tentativas", "parou em", "alterada em", "alterada por", "nota",
    )  # fmt: skip
    return download("mensagens-com-erro", head, _rows(wanted))


def _rows(wanted: LetterFilter) -> Iterator[tuple[Any, ...]]:
    now, after = clock.now(), wanted.after
    while True:
        with reading() as c:
            rows = page_queries.chunk(c, wanted, now, after)
        for row in rows:
            yield (
                row.id, row.event_id, row.event_type, row.source_system, row.system, row.state,
                row.reason, row.status, row.error_class, row.attempts, when(row.died_at),
                when(row.changed_at), row.changed_by, row.note,
            )  # fmt: skip
        if len(rows) < page_queries.CHUNK:
            return
        after = queries.key_of(rows[-1])


@blueprint.get(ONE)
@require("dlq.read", scope="dlq:read")
def show(letter_id: int) -> Response:
    """One letter: why, what to do, each attempt, the content."""
    with reading() as c:
        row = queries.find_dead_letter(c, letter_id)
        attempts = queries.attempts_of(c, row.delivery_id)
        same = counters.gauges(c, "dlq.cause").get((row.cause, row.system), 0)
        labels = _labels(c)
    whole = sees_whole(f"dead_letter:{letter_id}")
    return web.live(
        lambda: {"data": letter_with_attempts(row, attempts, whole)},
        "deliveries/show.html",
        "deliveries/_letter.html",
        (row, attempts, same),
        **_letter(row, attempts, same, labels, whole),
    )


def _letter(
    row: AnyRow, attempts: Any, same: int, labels: dict[str, str], whole: bool
) -> dict[str, Any]:
    """What the page of a letter shows; personal data only to those who may see it."""
    return {
        "row": row,
        "attempts": attempts,
        "same": same,
        "labels": labels,
        "advice": advice(row.error_class),
        "class_words": describe_class(row.error_class),
        "whole": whole,
        "body": shown(row.body, whole),
        "payload": shown(row.payload, whole),
        "shown": partial(shown, whole=whole),
        "words": partial(words, whole=whole),
        "say": say,
        "lines": {attempt.id: first_line(attempt.response_body) for attempt in attempts},
    }
