"""API keys: who has which and uses it when; make, replace with an overlap, revoke."""

from __future__ import annotations

import re
from typing import Any

from flask import Response, flash, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from pydantic import BaseModel, Field

from app import clock, web
from app.access.actions import api_keys as actions
from app.access.guards import by, require
from app.access.queries.keys import KeyCard, key_cards
from app.access.routes.door import blueprint
from app.access.rules import age, scopes
from app.access.rules.local_path import local_path
from app.db import reading
from app.errors import Invalid, NotFound
from app.web.answers import html

ONE = "/chaves/<int(max=9223372036854775807):key_id>"


class NewKeyForm(BaseModel):
    """The form of a new key; scopes are separated by spaces or commas."""

    name: str = Field("", max_length=300)
    scopes: str = Field(" ".join(scopes.DEFAULT), max_length=1000)
    days: str = Field("", pattern=r"^([1-9][0-9]{0,3})?$")


class Asked(BaseModel):
    """What a command on a key carries."""

    why: str = Field("", max_length=500)
    days: int = Field(age.OVERLAP_DAYS, ge=0, le=90)
    # Days that a new key lasts; 0: until revoked, empty: as many as the old one was made for.
    valid: str = Field("", pattern=r"^[0-9]{0,4}$")
    confirmed: str = ""
    # Where it was asked from: the page to come back to.
    back: str = Field("", max_length=200)

    @property
    def lifetime(self) -> int | None:
        """How long a new key lasts in ms; 0: until revoked, None: as the old one."""
        return int(self.valid) * clock.DAY if self.valid else None

    @property
    def page(self) -> str:
        """The page to come back to; never one of another host."""
        return local_path(self.back) if self.back else url_for("access.keys")


@blueprint.get("/chaves")
@require("keys.manage")
def keys() -> Response:
    """All keys, and a reminder of those to replace."""
    return _page(NewKeyForm.model_validate({}), {})


@blueprint.post("/chaves")
@require("keys.manage")
def create_key() -> Response:
    """Make a key; the only answer that holds it."""
    form = web.body(NewKeyForm)
    names = [name for name in re.split(r"[\s,]+", form.scopes) if name]
    ends = clock.now() + int(form.days) * clock.DAY if form.days else None
    try:
        made = actions.generate_api_key(by(), form.name, names, ends)
    except Invalid as refused:
        return _page(form, _words(refused), 422)
    return _show(made, form.name, 201, url_for("access.keys"))


def _words(refused: Invalid) -> dict[str, str]:
    """What is wrong with a form, for people."""
    words = {
        "name": _("Dê um nome de até 120 caracteres: quem vai usar a chave."),
        "scopes": _("Escreva permissões como events:write, dlq:* ou *."),
    }
    if any("manager" in text for text in refused.details.get("scopes", ())):
        words["scopes"] = _("Só a Gestão dá a permissão sla:write, e com ela sla:* e *.")
    return {name: words.get(name, found[0]) for name, found in refused.details.items()}


@blueprint.post(f"{ONE}/trocar")
@require("keys.manage")
def rotate_key(key_id: int) -> Response:
    """A new key beside the old one, which ends after the overlap; asked about first."""
    wanted, card = web.body(Asked), _card(key_id)
    if not wanted.confirmed:
        title = _("Trocar a chave de %(name)s?", name=card.row.name)
        effect, verb = _effect(wanted, card), _("Trocar chave")
        return _ask(title, effect, verb, cancel_url=wanted.page, danger=False)
    overlap, why = wanted.days * clock.DAY, wanted.why.strip() or None
    made = actions.rotate_api_key(by(), key_id, overlap, why, wanted.lifetime)
    return _show(made, card.row.name, 201, wanted.page)


def _effect(wanted: Asked, card: KeyCard) -> str:
    """What replacing does, and for how long the new key is good."""
    days = int(wanted.valid) if wanted.valid else card.days
    lasts = (
        ngettext("A nova vale por %(num)s dia.", "A nova vale por %(num)s dias.", days)
        if days
        else _("A nova vale até ser revogada.")
    )
    effect = _(
        "Uma chave nova é criada agora; a antiga ainda vale por %(n)s dias, para dar tempo de "
        "trocar no sistema que a usa.",
        n=wanted.days,
    )
    return f"{effect} {lasts}"


@blueprint.post(f"{ONE}/revogar")
@require("keys.manage")
def revoke_key(key_id: int) -> Response:
    """End a key at once, with a reason; asked about first."""
    wanted, card = web.body(Asked), _card(key_id)
    if not (wanted.confirmed and wanted.why.strip()):
        title = _("Revogar a chave de %(name)s?", name=card.row.name)
        effect = _("Quem a usa é recusado a partir do próximo pedido. Não dá para desfazer.")
        missing = _("Escreva o motivo") if wanted.confirmed else ""
        reason = {"label": _("Motivo"), "value": wanted.why, "error": missing}
        verb = _("Revogar chave")
        return _ask(title, effect, verb, cancel_url=wanted.page, reason=reason)
    actions.revoke_api_key(by(), key_id, wanted.why.strip())
    text = _("A chave de %(name)s não vale mais.", name=card.row.name)
    if web.wants_html():
        flash(text, "ok")
    return web.done({"message": text}, wanted.page)


def key_data(card: KeyCard) -> dict[str, Any]:
    """A key as JSON."""
    row = card.row
    return {
        "id": row.id,
        "name": row.name,
        "prefix": row.prefix,
        "scopes": list(card.scopes),
        "state": card.state,
        "created_at": clock.iso(row.created_at),
        "created_by": row.created_by,
        "last_used_at": clock.iso(row.last_used_at),
        "expires_at": clock.iso(row.expires_at),
        "replaced_by": row.replaced_by,
        "uses": [{"address": use.address, "last_at": clock.iso(use.last_at)} for use in card.uses],
    }


def _page(form: NewKeyForm, errors: dict[str, str], status: int = 200) -> Response:
    with reading() as c:
        cards = key_cards(c, clock.now())
    context: dict[str, Any] = {
        "cards": cards,
        "old": [card for card in cards if card.state == "old"],
        "draft": form,
        "errors": errors,
        "overlap": age.OVERLAP_DAYS,
        "replace_days": age.REPLACE_AFTER // clock.DAY,
    }
    if status != 200:
        data = {"error": "Validation failed", "details": errors}
        return web.answer(data, page="access/keys.html", status=status, **context)
    listed = {"data": [key_data(card) for card in cards]}
    return web.live(listed, "access/keys.html", "access/_keys.html", cards, **context)


def _card(key_id: int) -> KeyCard:
    with reading() as c:
        found = [card for card in key_cards(c, clock.now()) if card.row.id == key_id]
    if not found:
        raise NotFound("Chave não encontrada")
    return found[0]


def _show(made: actions.NewKey, name: str, status: int, back: str) -> Response:
    """The only answer that holds the key."""
    if not web.wants_html():
        told = {"id": made.id, "name": name, "key": made.key}
        told["expires_at"] = clock.iso(made.expires_at)
        return web.answer({"data": told}, status=status)
    return html(render_template("access/key.html", made=made, name=name, back=back), status)


def _ask(title: str, effect: str, verb: str, **more: Any) -> Response:
    return web.answer(
        {"error": "confirmed=1 is missing"},
        page="confirm.html",
        status=200 if web.wants_html() else 422,
        title=title,
        effect=effect,
        verb=verb,
        action=request.path,
        fields=request.form.to_dict(flat=False),
        **more,
    )
