"""The console's page of one event: its whole way through the hub, and the retry of what failed."""

from __future__ import annotations

from functools import partial

from flask import Blueprint, Response, flash, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from app import clock, web
from app.access.guards import by, require, sees_whole
from app.access.rules.masking import shown, words
from app.db import reading
from app.deliveries.actions.retry_event import retry_event
from app.deliveries.queries.way import event_way
from app.deliveries.routes.events import way_data
from app.deliveries.routes.letters_page import say
from app.errors import Conflict
from app.systems.queries.snapshot import systems
from app.systems.rules.defaults import CARRIERS

blueprint = Blueprint("event_page", __name__, url_prefix="/events")
ONE = "/<int(max=9223372036854775807):event_id>"


@blueprint.get(ONE)
@require("events.read", scope="events:read")
def show(event_id: int) -> Response:
    """The event with all that happened, in order of time."""
    with reading() as c:
        way = event_way(c, event_id)
        labels = CARRIERS | {name: system.label for name, system in systems(c).items()}
    whole = sees_whole(f"event:{event_id}")
    return web.live(
        lambda: {"data": way_data(way, whole)},
        "events/show.html",
        "events/_way.html",
        (way, whole),
        way=way,
        labels=labels,
        whole=whole,
        payload=shown(way.event.payload, whole),
        raw=shown(way.event.raw, whole),
        shown=partial(shown, whole=whole),
        words=partial(words, whole=whole),
        say=say,
        now=clock.now(),
    )


@blueprint.post(f"{ONE}/retry")
@require("events.retry", scope="events:write")
def retry(event_id: int) -> Response:
    """Send it to the systems that have not accepted it; a person is asked first."""
    here = url_for("event_page.show", event_id=event_id)
    if web.wants_html() and not request.form.get("confirmed"):
        return _ask(event_id, here)
    found = retry_event(event_id, by=by(), why=None, now=clock.now())
    count = found.revived + found.hurried
    if not count:
        raise Conflict(
            "; ".join(found.skipped) or _("Nenhuma entrega deste evento espera ou falhou")
        )
    if web.wants_html():
        text = ngettext("%(num)s entrega sai de novo.", "%(num)s entregas saem de novo.", count)
        flash(text, "ok")
        for reason in dict.fromkeys(found.skipped):
            flash(f"{reason[:1].upper()}{reason[1:]}.", "warn")
    return web.done({"message": "Event queued for retry", "event_id": event_id}, here)


def _ask(event_id: int, here: str) -> Response:
    """The question as a page, without JavaScript."""
    with reading() as c:
        missing = event_way(c, event_id).missing
    verb = ngettext("Reenviar a %(num)s sistema", "Reenviar a %(num)s sistemas", missing)
    return web.answer(
        {},
        page="confirm.html",
        title=f"{verb}?",
        effect=_(
            "Só recebem os sistemas que ainda não aceitaram este evento; quem já recebeu não "
            "recebe de novo."
        ),
        verb=verb,
        action=request.path,
        fields={},
        cancel_url=here,
        danger=False,
    )
