"""People, for managers: add, set level, reset password, shut out, ask for two-step login."""

from __future__ import annotations

import secrets
from typing import Any

from flask import Response, flash, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from pydantic import BaseModel, Field

from app import clock, web
from app.access.actions import people as actions
from app.access.actions import second_step
from app.access.guards import by, require
from app.access.queries.people import find_person, list_people
from app.access.routes.door import blueprint
from app.access.rules.abilities import ABILITIES, LEVELS
from app.db import reading
from app.errors import Conflict, Invalid
from app.paging import AnyRow
from app.web.answers import html

ONE = "/pessoas/<int(max=9223372036854775807):user_id>"


class NewPerson(BaseModel):
    """The form of a new person; the password is made here and shown once."""

    email: str = Field("", max_length=300)
    name: str = Field("", max_length=300)
    level: str = Field("1", max_length=3)


class Asked(BaseModel):
    """What a command on a person carries."""

    level: str = Field("", max_length=3)
    wanted: str = Field("", max_length=3)
    why: str = Field("", max_length=500)
    confirmed: str = ""

    @property
    def reason(self) -> str | None:
        """Why, if it was said."""
        return self.why.strip() or None


@blueprint.get("/pessoas")
@require("people.manage")
def people() -> Response:
    """Everybody who may sign in, and what the levels may do."""
    return _page(NewPerson.model_validate({}), {})


@blueprint.post("/pessoas")
@require("people.manage")
def add_person() -> Response:
    """Add a person with a password that is shown this once."""
    form, password = web.body(NewPerson), secrets.token_urlsafe(12)
    level = int(form.level) if form.level in ("1", "2", "3") else 0
    try:
        user_id = actions.create_user(by(), form.email, form.name, level, password)
    except Invalid as refused:
        return _page(form, {name: found[0] for name, found in refused.details.items()}, 422)
    except Conflict as refused:
        return _page(form, {"email": refused.message}, 409)
    return _show_password(user_id, password)


@blueprint.post(f"{ONE}/nivel")
@require("people.manage")
def set_level(user_id: int) -> Response:
    """Another level; the person signs in again."""
    wanted = web.body(Asked)
    level = int(wanted.level) if wanted.level in ("1", "2", "3") else 0
    actions.set_level(by(), user_id, level, wanted.reason)
    return _told(_("Nível alterado. A pessoa precisa entrar de novo."))


@blueprint.post(f"{ONE}/senha")
@require("people.manage")
def reset_password(user_id: int) -> Response:
    """A new password, shown this once; asked about first."""
    wanted, person = web.body(Asked), _person(user_id)
    if not wanted.confirmed:
        title = _("Redefinir a senha de %(name)s?", name=person.name)
        effect = _("A senha atual deixa de valer e a pessoa sai de todos os aparelhos.")
        return _ask(title, effect, _("Redefinir senha"))
    return _show_password(user_id, actions.reset_password(by(), user_id))


@blueprint.post(f"{ONE}/desativar")
@require("people.manage")
def disable(user_id: int) -> Response:
    """Shut the person out, at once; asked about first."""
    wanted, person = web.body(Asked), _person(user_id)
    if not wanted.confirmed:
        title = _("Desativar %(name)s?", name=person.name)
        return _ask(title, _("A pessoa sai de todos os aparelhos agora e não entra mais."),
                    _("Desativar"))  # fmt: skip
    actions.disable(by(), user_id, wanted.reason)
    return _told(_("%(name)s não entra mais.", name=person.name))


@blueprint.post(f"{ONE}/ativar")
@require("people.manage")
def enable(user_id: int) -> Response:
    """Let the person in again."""
    person = _person(user_id)
    actions.enable(by(), user_id, web.body(Asked).reason)
    return _told(_("%(name)s pode entrar de novo.", name=person.name))


@blueprint.post(f"{ONE}/duas-etapas")
@require("people.manage")
def require_second_step(user_id: int) -> Response:
    """Ask for two-step login, or leave it to the person."""
    wanted, person = web.body(Asked).wanted == "on", _person(user_id)
    second_step.require(by(), user_id, wanted)
    if wanted:
        return _told(_("%(name)s precisa da verificação em duas etapas para continuar.",
                       name=person.name))  # fmt: skip
    return _told(_("A verificação em duas etapas é opcional para %(name)s.", name=person.name))


@blueprint.post(f"{ONE}/duas-etapas/zerar")
@require("people.manage")
def reset_second_step(user_id: int) -> Response:
    """Take the lost phone off; asked about first."""
    wanted, person = web.body(Asked), _person(user_id)
    if not wanted.confirmed:
        title = _("Zerar as duas etapas de %(name)s?", name=person.name)
        effect = _("O celular cadastrado e os códigos deixam de valer; entra só com a senha.")
        return _ask(title, effect, _("Zerar duas etapas"))
    second_step.disable(by(), user_id, wanted.reason)
    return _told(_("As duas etapas de %(name)s foram zeradas.", name=person.name))


def person_data(row: AnyRow) -> dict[str, Any]:
    """A person as JSON."""
    return {
        **row._mapping,
        "created_at": clock.iso(row.created_at),
        "last_login_at": clock.iso(row.last_login_at),
    }


def _page(form: NewPerson, errors: dict[str, str], status: int = 200) -> Response:
    with reading() as c:
        rows = list_people(c)
    context: dict[str, Any] = {
        "rows": rows,
        "levels": LEVELS,
        "abilities": ABILITIES.values(),
        "draft": form,
        "errors": errors,
    }
    if status != 200:
        data = {"error": "Validation failed", "details": errors}
        return web.answer(data, page="access/people.html", status=status, **context)
    listed = {"data": [person_data(row) for row in rows]}
    return web.live(listed, "access/people.html", "access/_people.html", rows, **context)


def _person(user_id: int) -> AnyRow:
    with reading() as c:
        return find_person(c, user_id)


def _show_password(user_id: int, password: str) -> Response:
    """The only answer that holds the password."""
    person = _person(user_id)
    if not web.wants_html():
        return web.answer({"data": {**person_data(person), "password": password}}, status=201)
    return html(render_template("access/password.html", person=person, password=password), 201)


def _told(text: str) -> Response:
    if web.wants_html():
        flash(text, "ok")
    to = url_for("access.people")
    return web.done({"message": text}, to if current_user.level == 3 else "/")


def _ask(title: str, effect: str, verb: str) -> Response:
    return web.answer(
        {"error": "confirmed=1 is missing"},
        page="confirm.html",
        status=200 if web.wants_html() else 422,
        title=title,
        effect=effect,
        verb=verb,
        action=request.path,
        fields=request.form.to_dict(flat=False),
        cancel_url=url_for("access.people"),
    )
