"""What a person does with dead letters in the console; each is asked about where it goes out."""

from __future__ import annotations

import json
import re
from typing import Any

from flask import Blueprint, Response, flash, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from app import clock, web
from app.access.guards import by, require
from app.access.rules.local_path import local_path
from app.db import reading
from app.deliveries.actions import bulk, dead_letters
from app.deliveries.queries.bulks import count_members
from app.deliveries.queries.dead_letters import Narrow
from app.deliveries.routes.letters_page import ONE
from app.errors import Invalid
from app.templating import number
from app.web.answers import html

blueprint = Blueprint("dead_letter_acts", __name__, url_prefix="/dlq")
MOST_IDS = 500
ID = re.compile(r"\d{1,18}", re.ASCII)


@blueprint.post(f"{ONE}/retry")
@require("dlq.retry", scope="dlq:write")
def retry(letter_id: int) -> Response:
    """Send it again, with the same message id."""
    dead_letters.retry(letter_id, by=by(), why=_why(), now=clock.now())
    return _told(_("Mensagem %(n)s sai de novo agora.", n=letter_id), letter_id)


@blueprint.post(f"{ONE}/archive")
@require("dlq.archive", scope="dlq:write")
def archive(letter_id: int) -> Response:
    """Put it aside; the toast brings it back."""
    dead_letters.archive(letter_id, by=by(), why=_why(), now=clock.now())
    undo = url_for("dead_letter_acts.unarchive", letter_id=letter_id)
    return _told(_("Mensagem %(n)s arquivada.", n=letter_id), letter_id, undo)


@blueprint.post(f"{ONE}/unarchive")
@require("dlq.archive", scope="dlq:write")
def unarchive(letter_id: int) -> Response:
    """Take it back into the open ones."""
    dead_letters.unarchive(letter_id, by=by(), why=_why(), now=clock.now())
    return _told(_("Mensagem %(n)s está aberta de novo.", n=letter_id), letter_id)


@blueprint.post(f"{ONE}/delete")
@require("dlq.delete", scope="dlq:write")
def delete(letter_id: int) -> Response:
    """Delete an archived one, for good."""
    if not request.form.get("confirmed"):
        title = _("Excluir a mensagem %(n)s?", n=letter_id)
        effect = _("O registro do erro some para sempre; o evento e as tentativas ficam.")
        return _ask(title, effect, _("Excluir"), danger=True)
    dead_letters.delete(letter_id, by=by(), why=_why())
    flash(_("Mensagem %(n)s excluída.", n=letter_id), "ok")
    return web.done({"message": "Dead letter deleted"}, url_for("dead_letters.index"))


@blueprint.post("/retry")
@require("dlq.bulk", scope="dlq:write")
def retry_many() -> Response:
    """Send the selection or the whole filter again."""
    return _many("retry")


@blueprint.post("/archive")
@require("dlq.bulk", scope="dlq:write")
def archive_many() -> Response:
    """Put the selection or the whole filter aside."""
    return _many("archive")


def _many(action: str) -> Response:
    """The selection at once, the filter in the background; both only once confirmed."""
    whole = request.form.get("scope") == "filter"
    ids = [] if whole else _ids()
    if not whole and not ids:
        flash(_("Nenhuma mensagem selecionada."), "warn")
        return web.done({"done": 0}, _back())
    if not request.form.get("confirmed"):
        return _ask_many(action, _count() if whole else len(ids))
    return _whole(action) if whole else _selected(action, ids)


def _selected(action: str, ids: list[int]) -> Response:
    """The ticked ones, now; tells how many were done and how many had changed meanwhile."""
    acts = {"retry": dead_letters.retry_selection, "archive": dead_letters.archive_selection}
    moved = acts[action](ids, by=by(), why=_why(), now=clock.now())
    done, left = len(moved.done), len(moved.skipped)
    flash(_done_text(action, done), "ok" if done else "warn")
    if left:
        flash(
            ngettext(
                "%(num)s ficou como estava: mudou entretanto ou não pode ser enviada.",
                "%(num)s ficaram como estavam: mudaram entretanto ou não podem ser enviadas.",
                left,
            ),
            "warn",
        )
    return web.done({"done": done, "skipped": left}, _back())


def _whole(action: str) -> Response:
    """All that the filter showed when it was looked at, in the background."""
    asked = bulk.ask(action, _narrow(), by=by(), now=clock.now(), why=_why(), seen_at=_seen_at())
    if asked.id is None:
        flash(_("Nada a fazer: nenhuma mensagem aberta corresponde."), "warn")
        return web.done({"count": 0}, _back())
    to = url_for("bulks_page.show", bulk_id=asked.id)
    return web.done({"bulk_id": asked.id, "count": asked.total}, to, status=202)


def _done_text(action: str, n: int) -> str:
    text: str = ngettext("%(num)s mensagem arquivada.", "%(num)s mensagens arquivadas.", n)
    if action == "retry":
        text = ngettext("%(num)s mensagem sai de novo.", "%(num)s mensagens saem de novo.", n)
    return text


def _ask_many(action: str, n: int) -> Response:
    """The question as a page, with what is meant."""
    said = number(n)
    if action == "retry":
        verb = ngettext("Reprocessar %(n)s mensagem", "Reprocessar %(n)s mensagens", n, n=said)
        effect = _("Saem de novo para o sistema de cada uma, com o mesmo código de mensagem.")
    else:
        verb = ngettext("Arquivar %(n)s mensagem", "Arquivar %(n)s mensagens", n, n=said)
        effect = _("Saem das contagens; podem ser desarquivadas depois.")
    return _ask(f"{verb}?", effect, verb)


def _ask(title: str, effect: str, verb: str, danger: bool = False) -> Response:
    return web.answer(
        {"error": "confirmed=1 is missing"},
        page="confirm.html",
        status=200 if web.wants_html() else 422,
        title=title,
        effect=effect,
        verb=verb,
        action=request.path,
        fields={**request.form.to_dict(flat=False), "next": _back()},
        cancel_url=_back(),
        danger=danger,
    )


def _ids() -> list[int]:
    """The ticked letters; Invalid for what is no number or too many."""
    ticked = request.form.getlist("ids")
    if len(ticked) > MOST_IDS or not all(ID.fullmatch(each) for each in ticked):
        raise Invalid(details={"ids": [f"up to {MOST_IDS} numbers"]})
    return [int(each) for each in ticked]


def _narrow() -> Narrow:
    """The filter that the form carries."""
    names = {field.alias or name for name, field in Narrow.model_fields.items()}
    return web.validate(Narrow, {k: v for k, v in request.form.items() if k in names})


def _count() -> int:
    """Exactly how many letters the answer will mean: those that the list had when it was seen."""
    now = clock.now()
    with reading() as c:
        return count_members(c, _narrow(), min(now, _seen_at() or now))


def _seen_at() -> int | None:
    """When the list was looked at (ms)."""
    bound = request.form.get("bound", "")
    return int(bound) if ID.fullmatch(bound) else None


def _why() -> str | None:
    return request.form.get("why", "").strip()[:500] or None


def _told(text: str, letter_id: int, undo: str = "") -> Response:
    """To htmx a toast (the row leaves), to a browser the page it came from."""
    if not web.is_htmx():
        flash(text, "ok")
        here = url_for("dead_letters.show", letter_id=letter_id)
        return web.done({"message": text}, local_path(request.referrer or here, request.host))
    response = html("")
    told: dict[str, Any] = {"text": text, "undo": undo} if undo else {"text": text}
    response.headers["HX-Trigger"] = json.dumps({"toast": told})
    return response


def _back() -> str:
    """The list the form stands on, with its filter."""
    return local_path(request.form.get("next") or request.referrer, request.host)
