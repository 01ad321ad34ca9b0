"""The console's list of messages with people, and the page of one with its ticks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, url_for

from app.access.guards import require, sees_whole
from app.access.rules.masking import mask_text
from app.db import reading
from app.messages.queries import log
from app.messages.queries.log import LogFilter
from app.messages.rules.log import label_of, progress, words_in
from app.messages.rules.templates import KINDS
from app.paging import AnyRow
from app.web import arguments, live

blueprint = Blueprint("messages", __name__, url_prefix="/messages")
ONE = "/<int(max=9223372036854775807):message_id>"
TEMPLATES = [(key, kind.label) for key, kind in KINDS.items()]


@blueprint.get("")
@require("events.read", scope="messages:read")
def index() -> Response:
    """Messages sent and received, newest first; addresses are masked."""
    wanted = arguments(LogFilter)
    with reading() as c:
        rows, total = log.messages(c, wanted), log.count(c, wanted)
        newer = log.newer(c, wanted)
    next_url = _url(wanted, after=rows[-1].id) if len(rows) == wanted.per_page else None
    data = {
        "data": [log.message_json(row) for row in rows],
        "meta": {"next": next_url, "total": total},
    }
    context: dict[str, Any] = {
        "filter": wanted, "rows": rows, "total": total, "next_url": next_url,
        "first_url": _url(wanted, after=None) if wanted.after else None,
        "live_url": _url(wanted, upto=_newest(wanted, rows)), "newer": newer,
        "newer_url": _url(wanted), "templates": TEMPLATES, "progress": progress,
        "label_of": label_of, "mask": mask_text,
    }  # fmt: skip
    page, part = "messages/index.html", "messages/_table.html"
    return live(data, page, part, (rows, total, newer, wanted), **context)


@blueprint.get(ONE)
@require("events.read", scope="messages:read")
def show(message_id: int) -> Response:
    """One message with its words and ticks; a look at them whole is audited."""
    with reading() as c:
        row = log.message(c, message_id)
        stored = log.content(c, row)
    whole = sees_whole(f"message:{message_id}")
    text = words_in(row.channel, row.direction, stored)
    shown = {
        "address": row.address if whole else mask_text(row.address),
        "text": text if whole else mask_text(text),
    }
    return live(
        {"data": {**log.message_json(row), **shown}}, "messages/show.html", "messages/_show.html",
        (row, shown), row=row, whole=whole, state=progress(row), label=label_of(row.template),
        **shown,
    )  # fmt: skip


def _newest(wanted: LogFilter, rows: Sequence[AnyRow]) -> int | None:
    """The message beyond which later ones wait, on the first page."""
    if wanted.after or not rows:
        return None
    return wanted.upto or int(rows[0].id)


def _url(wanted: LogFilter, **changes: Any) -> str:
    query = wanted.query_with(**changes)
    return f"{url_for('messages.index')}{'?' if query else ''}{query}"
