"""Sessions: laid beforehand, copied, kept after their end; the cookie of production."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from app import clock, config, create_app
from app.access.actions import people, second_step
from app.access.actor import SYSTEM, Actor
from app.access.models import LoginSession, User
from app.access.rules import codes
from app.db import transaction
from tests.access.cast import PASSWORD, Cast, email
from tests.pages import BROWSER


def _is_in(client: FlaskClient) -> bool:
    return client.get("/perfil", headers=BROWSER).status_code == 200


ENDS: dict[str, Callable[[int], Any]] = {
    "level": lambda id_: people.set_level(SYSTEM, id_, 1),
    "disabled": lambda id_: people.disable(SYSTEM, id_),
    "password": lambda id_: people.change_password(SYSTEM, id_, "outra senha bem longa 77"),
}


@pytest.mark.parametrize("name", ENDS)
def test_what_changes_a_person_ends_every_session(app: Flask, login, name: str) -> None:
    Cast(app).person(3)
    one, other = app.test_client(), app.test_client()
    known = login(one, 2)
    login(other, 2)
    assert _is_in(one)
    assert _is_in(other)
    with app.app_context():
        ENDS[name](known.id)
    assert not _is_in(one)
    assert not _is_in(other)


def _off_and_on(user_id: int) -> None:
    """Another phone in the place of the first."""
    second_step.disable(SYSTEM, user_id)
    _enrol(user_id)


HALF_ENDS: dict[str, Callable[[int], Any]] = {
    "disabled": ENDS["disabled"],
    "password": ENDS["password"],
    "phone": _off_and_on,
    "second step off": lambda id_: second_step.disable(SYSTEM, id_),
}


def _enrol(user_id: int) -> list[str]:
    """Switches two-step login on; the recovery codes."""
    secret = codes.new_secret()
    code = pyotp.TOTP(secret).at(clock.now() // clock.SECOND)
    return second_step.enable(Actor("user", user_id, "Davi", 2), secret, code)


@pytest.mark.parametrize("name", HALF_ENDS)
def test_what_changes_a_person_ends_half_a_login(
    app: Flask, client: FlaskClient, name: str
) -> None:
    """A right password of before opens nothing, although a right code follows."""
    Cast(app).person(3)
    known = Cast(app).person(2)
    with app.app_context():
        kept = _enrol(known.id)
    assert _login(client, "http://localhost", 2).location.startswith("/login/code")
    page = client.get("/login/code", headers=BROWSER).text
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    with app.app_context():
        HALF_ENDS[name](known.id)
    form = {"csrf_token": token, "code": kept[0]}
    answer = client.post("/login/code", data=form, headers=BROWSER)
    assert (answer.status_code, answer.location) == (303, "/login?next=/")
    assert not _is_in(client)


def test_a_copied_cookie_dies_with_the_logout(app: Flask, client: FlaskClient, login) -> None:
    login(client, 1)
    cookie = client.get_cookie("hub")
    assert cookie
    thief = app.test_client()
    thief.set_cookie("hub", cookie.value)
    assert _is_in(thief)
    client.post("/logout")
    assert not _is_in(thief)
    assert not _is_in(client)


def test_a_session_on_the_server_ends_at_its_time(app: Flask, client: FlaskClient, login) -> None:
    login(client, 1)
    with app.app_context(), transaction() as tx:
        tx.connection.execute(update(LoginSession).values(expires_at=1))
    assert not _is_in(client)


@pytest.mark.parametrize("token", ["", "1", "x" * 500, "' OR 1=1--", "\x00", None])
def test_a_made_up_session_is_nobody(app: Flask, client: FlaskClient, login, token: Any) -> None:
    login(client, 1)
    with client.session_transaction() as session:
        session["_user_id"] = token
    assert not _is_in(client)


def test_a_cookie_signed_with_another_key_is_nobody(
    app: Flask, settings: config.Settings, login
) -> None:
    other = create_app(settings.model_copy(update={"secret_key": "another key, " + "x" * 40}))
    forger = other.test_client()
    with forger.session_transaction() as session:
        session["_user_id"], session["_fresh"] = "1", True
    cookie = forger.get_cookie("hub")
    assert cookie
    victim = app.test_client()
    victim.set_cookie("hub", cookie.value)
    assert not _is_in(victim)


def _login(client: FlaskClient, base: str, level: int = 1) -> Any:
    page = client.get("/login", headers=BROWSER, base_url=base).text
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    form = {"csrf_token": token, "email": email(level), "password": PASSWORD}
    return client.post("/login", data=form, headers=BROWSER, base_url=base)


def test_the_cookie_of_production(settings: config.Settings, app: Flask) -> None:
    Cast(app).person(1)
    production = settings.model_copy(
        update={"env": "production", "public_url": "https://hub.example"}
    )
    with app.app_context(), transaction() as tx:
        tx.connection.execute(update(User).values(theme="dark", poll="5"))
    answer = _login(create_app(production).test_client(), "https://hub.example")
    assert answer.status_code == 303
    for preference in ("theme=dark", "poll=5"):
        (cookie,) = (c for c in answer.headers.getlist("Set-Cookie") if preference in c)
        assert {"Secure", "HttpOnly", "SameSite=Lax"} <= set(cookie.split("; "))
    cookie = next(c for c in answer.headers.getlist("Set-Cookie") if "hub=" in c)
    name, *flags = [part.strip() for part in cookie.split(";")]
    assert name.startswith("__Host-hub=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(flags)
    assert not any(flag.startswith("Domain") for flag in flags)
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_the_session_is_new_after_the_login(app: Flask, client: FlaskClient) -> None:
    Cast(app).person(1)
    client.get("/login", headers=BROWSER)
    laid = client.get_cookie("hub")
    assert laid
    _login(client, "http://localhost")
    taken = client.get_cookie("hub")
    assert taken
    assert taken.value != laid.value
    victim = app.test_client()
    victim.set_cookie("hub", laid.value)
    assert not _is_in(victim)


def test_no_token_stands_in_a_page_or_an_address(app: Flask, client: FlaskClient, login) -> None:
    login(client, 1)
    with client.session_transaction() as session:
        token = session["_user_id"]
    page = client.get("/perfil", headers=BROWSER)
    assert token not in page.text
    assert token not in str(page.headers.get("Location"))
