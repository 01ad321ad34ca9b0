"""The audit trail: who did what, why and when; nobody can change it here or anywhere."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from flask import Response, url_for
from sqlalchemy.engine import Connection

from app import clock, web
from app.access.guards import require
from app.access.models import AuditEntry
from app.access.queries import audit as queries
from app.access.queries.audit import AuditFilter
from app.access.routes.door import blueprint
from app.access.rules.difference import ABSENT, differences
from app.access.rules.fields import field_words, kind_of, value_words
from app.access.rules.words import action_words
from app.db import reading
from app.paging import AnyRow
from app.templating import when
from app.web.csv import download

HEAD = (
    "número", "quando", "quem", "tipo", "endereço", "ação", "alvo", "motivo", "antes", "depois",
)  # fmt: skip
# As `clock.iso` writes it.
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)


@blueprint.get("/auditoria")
@require("audit.read", scope="audit:read")
def audit() -> Response:
    """Entries, newest first, and whether the chain is whole."""
    wanted = web.arguments(AuditFilter)
    chain, checked_at = queries.checked_chain()
    with reading() as c:
        rows, total = queries.list_entries(c, wanted), queries.count(c, wanted)
        context = _choices(c) | {"newer": queries.newer(c, wanted)}
    context |= {
        "filter": wanted,
        "rows": rows,
        "total": total,
        "chain": chain,
        "checked_at": checked_at,
        "words": action_words,
        "differences": changes_of,
        "next_url": _url(wanted, after=rows[-1].id) if len(rows) == wanted.per_page else None,
        "first_url": _url(wanted, after=None) if wanted.after else None,
        "csv_url": f"{url_for('access.audit_csv')}?{wanted.query_with(after=None)}",
        "live_url": _url(wanted, upto=_newest(wanted, rows)),
        "newer_url": _url(wanted),
    }
    data = {
        "data": [entry_data(row) for row in rows],
        "chain": {"whole": chain.whole, "entries": chain.entries, "broken_at": chain.broken_at},
        "meta": {"next": context["next_url"], "total": total},
    }
    seen = (rows, total, context["newer"], chain, wanted)
    return web.live(data, "access/audit.html", "access/_audit.html", seen, **context)


@blueprint.get("/auditoria.csv")
@require("audit.read", scope="audit:read")
def audit_csv() -> Response:
    """The whole filter as a file, read in pieces."""
    return download("auditoria", HEAD, _lines(web.arguments(AuditFilter)))


def _lines(wanted: AuditFilter) -> Iterator[tuple[Any, ...]]:
    while True:
        with reading() as c:
            rows = queries.list_entries(c, wanted, queries.CHUNK)
        for row in rows:
            yield (
                row.id, when(row.at), row.actor_name, row.actor_kind, row.address, row.action,
                row.target, row.why, row.before_json, row.after_json,
            )  # fmt: skip
        if len(rows) < queries.CHUNK:
            return
        wanted = wanted.model_copy(update={"after": rows[-1].id})


def changes_of(row: AnyRow) -> list[tuple[str, str, str | None, str | None]]:
    """What the entry changed: field, kind of state, before, after; None where a side has it not."""
    entry = AuditEntry(before_json=row.before_json, after_json=row.after_json)
    return [
        (
            field_words(name),
            kind_of(row.target, name),
            _readable(name, before),
            _readable(name, after),
        )
        for name, before, after in differences(entry.before, entry.after)
    ]


def _readable(name: str, value: Any) -> str | None:
    """Moments, in ms or as ISO-8601, as dates."""
    if value is ABSENT:
        return None
    if name.endswith(("_at", "_until")) and isinstance(value, int):
        return when(value)
    if isinstance(value, str) and MOMENT.fullmatch(value):
        # Written by a person it may be a day that no calendar has.
        with suppress(ValueError):
            return when(clock.from_datetime(datetime.fromisoformat(value)))
    return value_words(value)


def entry_data(row: AnyRow) -> dict[str, Any]:
    """An entry as JSON."""
    entry = AuditEntry(before_json=row.before_json, after_json=row.after_json)
    told = {
        name: getattr(row, name)
        for name in ("id", "actor_kind", "actor_name", "action", "target", "why", "address")
    }
    return {**told, "at": clock.iso(row.at), "before": entry.before, "after": entry.after}


def _choices(c: Connection) -> dict[str, Any]:
    """What the filter offers."""
    areas = [(name, action_words(name)) for name in queries.areas(c)]
    return {"actors": queries.actors(c), "area_options": areas}


def _newest(wanted: AuditFilter, rows: Sequence[AnyRow]) -> int | None:
    """The entry beyond which later ones wait, on the first page."""
    if wanted.after or not rows:
        return None
    return wanted.upto or int(rows[0].id)


def _url(wanted: AuditFilter, **changes: Any) -> str:
    query = wanted.query_with(**changes)
    return f"{url_for('access.audit')}{'?' if query else ''}{query}"
