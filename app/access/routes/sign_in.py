"""Signing in and out, and how the console looks to a person."""

from __future__ import annotations

from typing import Literal

from flask import Response, current_app, redirect, render_template, session, url_for
from flask_babel import gettext as _
from flask_login import current_user, login_user, logout_user
from flask_wtf.csrf import CSRFError, generate_csrf
from htmx_flask import request
from pydantic import BaseModel, Field

from app import web
from app.access import queries
from app.access.actions import logins, people, second_step
from app.access.guards import open_to_all, require, signed_in
from app.access.rate_limit import limiter
from app.access.routes.door import blueprint
from app.access.rules.local_path import local_path
from app.errors import Invalid, TooMany, Unauthenticated
from app.web.answers import html

YEAR = 365 * 24 * 3600
PREFERENCES = ("theme", "density", "poll", "keys")


class LoginForm(BaseModel):
    """What the login page sends."""

    email: str = Field("", max_length=300)
    password: str = Field("", max_length=300)
    next: str = Field("", max_length=2000)


class Preferences(BaseModel):
    """One or more preferences; what is not sent stays as it is."""

    theme: Literal["auto", "light", "dark"] | None = None
    density: Literal["comfortable", "compact"] | None = None
    poll: Literal["2", "5", "15", "60", "0"] | None = None
    keys: Literal["on", "off"] | None = None
    next: str = Field("", max_length=2000)


@blueprint.get("/login")
@open_to_all
def login() -> Response:
    """The page to sign in; whoever is in already goes on."""
    to = local_path(request.args.get("next"))
    if current_user.is_authenticated:
        return _go(to)
    return _page(200, "", to)


@blueprint.post("/login")
@open_to_all
def sign_in() -> Response:
    """Check e-mail and password and start a session of our own."""
    try:
        web.protect_from_forgery()
        form, address = web.body(LoginForm), web.client_address()
    except CSRFError:
        return of_an_older_page()
    except Invalid:
        # Every mistake gets the same answer.
        return _page(401, "", "/", _("E-mail ou senha incorretos"))
    try:
        verdict = limiter().take(f"login:{address}")
        if not verdict.allowed:
            raise TooMany(verdict.retry_after)
        known = logins.authenticate(form.email, form.password, address)
    except Unauthenticated:
        return _page(401, form.email, local_path(form.next), _("E-mail ou senha incorretos"))
    except TooMany as wait:
        return _wait(form, wait.retry_after)
    to = local_path(form.next)
    return _ask_code(known, to) if known.second_step else welcome(known, to)


def of_an_older_page() -> Response:
    """Another tab opened the page after this one, or signed in meanwhile: ask again."""
    text = _("Esta página era antiga. Entre de novo.")
    if "csrf_token" not in session:
        # It came with the page: the browser keeps none, or a Secure one was to travel without TLS.
        text = _(
            "O navegador não enviou o cookie desta página. Entre de novo; se isso se repetir, "
            "permita cookies e use um endereço com https."
        )
    email, to = request.form.get("email", "")[:300], local_path(request.form.get("next"))
    return _page(403, email, to, notice=text)


def _ask_code(known: logins.Known, to: str) -> Response:
    """Half way in: the password was right, the code is still to come."""
    _leave()
    session["half"] = list(second_step.begin(known, web.client_address()))
    return _go(url_for("access.code", next=to))


def welcome(known: logins.Known, to: str) -> Response:
    """A new session (nothing of an older one stays) and the person's preferences."""
    hours = current_app.extensions["settings"].session_hours
    agent = request.user_agent.string
    token = logins.begin_session(known, hours, web.client_address(), agent)
    _leave()
    person = queries.person_of(token)
    if person is None:
        raise Unauthenticated(logins.REFUSED)
    login_user(person)
    # With the answer itself: pages asked for at once would each make a token, and one would count.
    generate_csrf()
    return remember(_go(to), {name: getattr(person, name) for name in PREFERENCES})


def _leave() -> None:
    """End the login that this browser has, here and on the server; nothing of it stays."""
    if was := signed_in():
        logins.end_session(was, current_user.token)
        logout_user()
    session.clear()


def _wait(form: LoginForm, seconds: int) -> Response:
    """The page again, telling how long to wait."""
    text = _("Muitas tentativas. Aguarde %(seconds)s s e tente de novo.", seconds=seconds)
    response = _page(429, form.email, local_path(form.next), text)
    response.headers["Retry-After"] = str(seconds)
    return response


def _page(status: int, email: str, to: str, problem: str = "", notice: str = "") -> Response:
    """The login page, with what went wrong with its fields, or apart from them."""
    errors = {"email": problem} if problem else {}
    told = {"errors": errors, "notice": notice, "email": email, "next": to}
    return html(render_template("access/login.html", **told), status)


@blueprint.post("/logout")
@require("overview.read")
def logout() -> Response:
    """End the session here and on the server."""
    _leave()
    return web.done({"message": "Signed out"}, url_for("access.login"))


@blueprint.post("/preferences")
@require("overview.read")
def preferences() -> Response:
    """Keep preferences for the person, and in cookies for pages without a database."""
    form = web.body(Preferences)
    chosen = form.model_dump(include=set(PREFERENCES), exclude_none=True)
    if chosen:
        people.set_preferences(current_user.id, **chosen)
    to = local_path(form.next or request.referrer, request.host)
    return remember(web.done(chosen, to), chosen)


def remember(response: Response, chosen: dict[str, str]) -> Response:
    """Preferences as cookies (templates read them); '' leaves it to the settings."""
    secure = current_app.extensions["settings"].production
    for name, value in ((name, value) for name, value in chosen.items() if value):
        response.set_cookie(name, value, max_age=YEAR, secure=secure, httponly=True, samesite="Lax")
    return response


def _go(to: str) -> Response:
    """303 to a path of ours."""
    moved = redirect(to, code=303)
    return Response(moved.get_data(), 303, {"Location": to}, mimetype="text/html")
