"""The own profile: password, logins, two-step login, how the console looks."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user
from pydantic import BaseModel, Field

from app import clock, web
from app.access.actions import logins, sessions
from app.access.guards import by, require
from app.access.queries import token_hash
from app.access.queries.people import codes_left, find_person, logins_of
from app.access.routes.door import blueprint
from app.access.rules.abilities import ABILITIES, LEVELS
from app.access.rules.browsers import browser
from app.db import reading
from app.errors import Invalid, Unauthenticated


class PasswordChange(BaseModel):
    """The form of a new password."""

    current: str = Field("", max_length=300)
    password: str = Field("", max_length=300)
    again: str = Field("", max_length=300)


@blueprint.get("/perfil")
@require("overview.read")
def profile() -> Response:
    """Who I am, where I am signed in, what I may do."""
    return _page({})


@blueprint.post("/perfil/senha")
@require("overview.read")
def change_password() -> Response:
    """A new password; every other login ends."""
    form, errors = web.body(PasswordChange), {}
    if form.password != form.again:
        errors["again"] = _("As duas senhas novas não são iguais.")
    else:
        errors = _changed(form)
    if errors:
        return _page(errors, 422)
    flash(_("Senha trocada. Nos outros aparelhos é preciso entrar de novo."), "ok")
    return web.done({"message": "Password changed"}, url_for("access.profile"))


def _changed(form: PasswordChange) -> dict[str, str]:
    """Change it, or say what is wrong by field."""
    try:
        logins.confirm_password(current_user.email, form.current, web.client_address())
        sessions.change_own_password(by(), current_user.email, current_user.token, form.password)
    except Unauthenticated:
        return {"current": _("A senha atual não confere.")}
    except Invalid as refused:
        return {"password": " ".join(refused.details["password"])}
    return {}


@blueprint.post("/perfil/sessoes/encerrar")
@require("overview.read")
def end_others() -> Response:
    """Sign out everywhere else."""
    ended = sessions.end_others(by(), current_user.token)
    text = ngettext("%(num)s outro acesso encerrado.", "%(num)s outros acessos encerrados.", ended)
    flash(text if ended else _("Não havia outros acessos."), "ok")
    return web.done({"ended": ended}, url_for("access.profile", _anchor="sessions"))


def _page(errors: dict[str, str], status: int = 200) -> Response:
    with reading() as c:
        me = find_person(c, current_user.id)
        seen = logins_of(c, current_user.id)
        left = codes_left(c, current_user.id)
    context: dict[str, Any] = {
        "me": me,
        "seen": seen,
        "here": token_hash(current_user.token),
        "left": left,
        "browser": browser,
        "levels": LEVELS,
        "abilities": ABILITIES.values(),
        "errors": errors,
    }
    data = {"email": me.email, "name": me.name, "level": me.level, "logins": len(seen)}
    data["last_login_at"] = clock.iso(me.last_login_at)
    return web.answer({"data": data}, page="access/profile.html", status=status, **context)
