"""Doors of the contacts of escalation and of its rules of time."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Flask, Response, flash, g, url_for
from flask_babel import gettext as _
from pydantic import BaseModel, Field

from app import clock, web
from app.access.guards import by, require
from app.db import reading
from app.errors import Invalid
from app.numbers import whole
from app.runbook.actions import contacts as actions
from app.runbook.queries import contacts as queries
from app.runbook.queries.contacts import Reach
from app.runbook.routes.door import blueprint
from app.runbook.rules.escalation import Rules


def init_app(app: Flask) -> None:
    """Say whom to ask at the addresses that are kept here."""
    app.extensions["contacts"] = _addresses


def _addresses() -> dict[int, str]:
    """The levels' e-mail addresses, read once a request."""
    if "addresses" not in g:
        with reading() as c:
            g.addresses = {level: reach.email for level, reach in queries.contacts(c).items()}
    found: dict[int, str] = g.addresses
    return found


class ContactForm(BaseModel):
    """How a level is reached."""

    name: str = Field("", max_length=300)
    email: str = Field("", max_length=300)
    phone: str = Field("", max_length=300)
    calls_for: str = Field("", max_length=500)


class RulesForm(BaseModel):
    """The rules of time, in minutes."""

    persists: str = Field("", max_length=8)
    unavailable: str = Field("", max_length=8)
    idle: str = Field("", max_length=8)
    why: str = Field("", max_length=500)

    def rules(self) -> Rules:
        """As numbers; what is none counts as 0, which no rule allows."""
        texts = (self.persists, self.unavailable, self.idle)
        return Rules(*(whole(text) or 0 for text in texts))


@blueprint.get("/contatos")
@require("overview.read", scope="incidents:read")
def contacts() -> Response:
    """Whom each level is reached at, and when it is called."""
    return _page({}, {})


@blueprint.post("/contatos/<int(min=1, max=3):level>")
@require("sla.manage")
def save_contact(level: int) -> Response:
    """Change a level's contact."""
    form = web.body(ContactForm)
    given = {name: text.strip() for name, text in form.model_dump().items()}
    try:
        actions.save_contact(Reach(level, **given), by=by(), now=clock.now())
    except Invalid as refused:
        if not web.wants_html():
            raise
        errors = {f"{name}_{level}": texts[0] for name, texts in refused.details.items()}
        return _page(errors, {level: given}, 422)
    flash(_("Contato do nível %(n)s gravado.", n=level), "ok")
    return web.done({"message": "Contact saved"}, url_for("runbook.contacts"))


@blueprint.post("/contatos/regras")
@require("sla.manage")
def save_escalation() -> Response:
    """New rules for incidents that begin from now on."""
    form = web.body(RulesForm)
    try:
        version = actions.save_rules(form.rules(), by=by(), why=form.why, now=clock.now())
    except Invalid as refused:
        if not web.wants_html():
            raise
        errors = {name: texts[0] for name, texts in refused.details.items()}
        return _page(errors, {0: form.model_dump()}, 422)
    flash(_("Regras gravadas. Valem para os incidentes que começarem agora."), "ok")
    return web.done({"version": version}, url_for("runbook.contacts"))


def _page(errors: dict[str, str], drafts: dict[int, dict[str, Any]], status: int = 200) -> Response:
    """The page, with what was typed where it was refused."""
    with reading() as c:
        found, (version, rules) = queries.contacts(c), queries.rules(c)
    shown = {level: asdict(reach) | drafts.get(level, {}) for level, reach in found.items()}
    data = {"data": [asdict(reach) for reach in found.values()], "rules": asdict(rules)}
    return web.answer(
        data,
        page="runbook/contacts.html",
        status=status,
        contacts=shown,
        rules=asdict(rules) | {"why": ""} | drafts.get(0, {}),
        version=version,
        errors=errors,
    )
