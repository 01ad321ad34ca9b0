"""The console's page of a bulk: how far it is, and the way to stop it."""

from __future__ import annotations

import json

from flask import Blueprint, Response, flash, url_for
from flask_babel import gettext as _
from sqlalchemy.engine import Connection

from app import clock, web
from app.access.guards import by, require
from app.db import reading
from app.deliveries.actions import bulk
from app.deliveries.queries.bulks import ACTIVE, find_bulk
from app.deliveries.queries.dead_letters import MOMENTS
from app.deliveries.queries.letter_page import cause_of
from app.deliveries.routes.shapes import bulk_data
from app.deliveries.rules.advice import cause_words
from app.systems.queries.snapshot import systems
from app.templating import when

blueprint = Blueprint("bulks_page", __name__, url_prefix="/dlq/lotes")
ONE = "/<int(max=9223372036854775807):bulk_id>"


@blueprint.get(ONE)
@require("dlq.read", scope="dlq:read")
def show(bulk_id: int) -> Response:
    """n of m, what was left out, and whether it may be stopped."""
    with reading() as c:
        row = find_bulk(c, bulk_id)
        narrowed = _in_words(c, row.filter)
    return web.live(
        lambda: {"data": bulk_data(row)},
        "deliveries/bulk.html",
        "deliveries/_bulk.html",
        (row, narrowed),
        row=row,
        is_active=row.state in ACTIVE,
        narrowed=narrowed,
        problems=json.loads(row.problems or "{}"),
    )


def _in_words(c: Connection, stored: str) -> list[str]:
    """The filter of a bulk as people read it."""
    found = json.loads(stored)
    key, names = found.pop("cause", ""), systems(c)
    cause = cause_of(c, key) if key else None
    words = [when(value) if name in MOMENTS else str(value) for name, value in found.items()]
    if cause is not None:
        label = names[cause.system].label if cause.system in names else cause.system
        words.append(f"{label}: {cause_words(cause.message, cause.status)}")
    return words


@blueprint.post(f"{ONE}/cancel")
@require("dlq.bulk", scope="dlq:write")
def cancel(bulk_id: int) -> Response:
    """Stop before the next batch; what is done stays done."""
    bulk.cancel(bulk_id, by=by(), why=None, now=clock.now())
    if web.wants_html():
        flash(_("Cancelado: o que já saiu continua; o resto ficou como estava."), "ok")
    return web.done({"message": "Cancelled"}, url_for("bulks_page.show", bulk_id=bulk_id))
