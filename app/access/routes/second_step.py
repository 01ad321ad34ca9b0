"""The second step of signing in, and switching it on in the profile."""

from __future__ import annotations

import segno
from flask import Response, flash, redirect, render_template, session, url_for
from flask_babel import gettext as _
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from htmx_flask import request
from pydantic import BaseModel, Field

from app import web
from app.access.actions import logins, second_step
from app.access.guards import by, open_to_all, require
from app.access.queries.people import find_person
from app.access.routes.door import blueprint
from app.access.routes.sign_in import of_an_older_page, welcome
from app.access.rules import codes
from app.access.rules.local_path import local_path
from app.db import reading
from app.errors import Conflict, Invalid, TooMany, Unauthenticated
from app.secrets import seal, unseal
from app.web.answers import html


class CodeForm(BaseModel):
    """A code from the phone or of the recovery list."""

    code: str = Field("", max_length=60)
    next: str = Field("", max_length=2000)


class PasswordForm(BaseModel):
    """The own password, to prove that it is still the same person."""

    current: str = Field("", max_length=300)


class EnrolForm(PasswordForm):
    """The own password and the first code of the phone."""

    code: str = Field("", max_length=60)


@blueprint.get("/login/code")
@open_to_all
def code() -> Response:
    """Ask for the code."""
    to = local_path(request.args.get("next"))
    return _code_page(200, to) if _half() else _back(to)


@blueprint.post("/login/code")
@open_to_all
def check_code() -> Response:
    """The code is right: in; wrong codes are slowed down like wrong passwords."""
    try:
        web.protect_from_forgery()
    except CSRFError:
        return of_an_older_page()
    form = web.body(CodeForm)
    to, half = local_path(form.next), _half()
    if not half:
        return _back(to)
    try:
        known = second_step.check(half, form.code, web.client_address())
    except Unauthenticated:
        return _code_page(401, to, _("Código incorreto ou já usado"))
    except TooMany as wait:
        seconds = wait.retry_after
        text = _("Muitas tentativas. Aguarde %(seconds)s s e tente de novo.", seconds=seconds)
        response = _code_page(429, to, text)
        response.headers["Retry-After"] = str(seconds)
        return response
    return welcome(known, to)


def _half() -> second_step.Half | None:
    """The half login of this browser, while it lasts."""
    kept = session.get("half") or ()
    if len(kept) != len(second_step.Half._fields):
        return None
    half = second_step.Half(*kept)
    return half if second_step.lasts(half) else None


def _back(to: str) -> Response:
    return Response("", 303, {"Location": url_for("access.login", next=to)}, mimetype="text/html")


def _code_page(status: int, to: str, problem: str = "") -> Response:
    errors = {"code": problem} if problem else {}
    return html(render_template("access/code.html", errors=errors, next=to), status)


@blueprint.get("/perfil/duas-etapas")
@require("overview.read")
def enrol() -> Response:
    """The QR code to scan with the phone."""
    if _is_on():
        return _already()
    if not session.get("totp_new"):
        session["totp_new"] = seal(codes.new_secret())
    return _enrol_page(200)


@blueprint.post("/perfil/duas-etapas")
@require("overview.read")
def confirm_enrolment() -> Response:
    """Switch it on with the password and a code; the only page that shows the recovery codes."""
    form = web.body(EnrolForm)
    if _is_on():
        return _already()
    if not (sealed := session.get("totp_new")):
        return redirect(url_for("access.enrol"), 303)  # type: ignore[return-value]
    if not _is_same(form):
        return _enrol_page(422, current=_("A senha atual não confere."))
    try:
        fresh = second_step.enable(by(), unseal(sealed), form.code)
    except Invalid as refused:
        return _enrol_page(422, code=refused.details["code"][0])
    except Conflict:
        return _already()
    session.pop("totp_new")
    return html(render_template("access/recovery.html", codes=fresh))


def _is_on() -> bool:
    with reading() as c:
        return bool(find_person(c, current_user.id).two_step)


def _already() -> Response:
    """The way to the profile, which says how another phone takes the place of the first."""
    session.pop("totp_new", None)
    flash(_("A verificação em duas etapas já está ligada. Nada mudou."), "warn")
    told = {"error": second_step.ALREADY}
    return web.done(told, url_for("access.profile"), status=409)


@blueprint.post("/perfil/codigos")
@require("overview.read")
def renew_codes() -> Response:
    """New recovery codes, after the password."""
    if refused := _not_the_same():
        return refused
    return html(render_template("access/recovery.html", codes=second_step.renew_codes(by())))


@blueprint.post("/perfil/duas-etapas/desligar")
@require("overview.read")
def leave_second_step() -> Response:
    """Switch it off, after the password."""
    if refused := _not_the_same():
        return refused
    second_step.disable(by(), current_user.id)
    flash(_("A verificação em duas etapas está desligada."), "warn")
    return web.done({"message": "Two-step login is off"}, url_for("access.profile"))


def _not_the_same() -> Response | None:
    """What to answer when the password is wrong or missing; None when it was right."""
    if _is_same(web.body(PasswordForm)):
        return None
    flash(_("A senha atual não confere. Nada mudou."), "bad")
    return web.done({"error": "Wrong password"}, url_for("access.profile"), status=422)


def _is_same(form: PasswordForm) -> bool:
    """Whether the password is right; TooMany: wait."""
    try:
        logins.confirm_password(current_user.email, form.current, web.client_address())
    except Unauthenticated:
        return False
    return True


def _enrol_page(status: int, **errors: str) -> Response:
    secret = unseal(session["totp_new"])
    picture = segno.make(codes.enrolment_uri(secret, current_user.email), error="m")
    text = render_template(
        "access/enrol.html",
        errors=errors,
        secret=" ".join(secret[i : i + 4] for i in range(0, len(secret), 4)),
        qr=picture.svg_data_uri(scale=5, border=4, dark="#000", light="#fff"),
    )
    return html(text, status)
