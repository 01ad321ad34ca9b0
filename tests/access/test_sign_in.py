"""Signing in and out, and what ends a session."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from app import clock
from app.access.actions.logins import authenticate, begin_session, remove_stale
from app.access.models import LoginFailure, LoginSession, User
from app.access.queries import person_of
from app.access.rules import lockout
from app.db import transaction
from app.errors import TooMany, Unauthenticated
from tests.access.cast import ADDRESS, PASSWORD, Cast, email

HTML = {"Accept": "text/html"}


@pytest.fixture
def cast(app: Flask) -> Cast:
    cast = Cast(app)
    cast.person(1)
    return cast


def _token(client: FlaskClient) -> str:
    page = client.get("/login", headers=HTML).get_data(as_text=True)
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found
    return found[1]


def _sign_in(client: FlaskClient, password: str = PASSWORD, **fields: str):
    form = {"csrf_token": _token(client), "email": email(1), "password": password, **fields}
    return client.post("/login", data=form, headers=HTML)


def _cookie(client: FlaskClient) -> str:
    cookie = client.get_cookie("hub")
    assert cookie
    return cookie.value


def test_it_works(client: FlaskClient, cast: Cast, app: Flask) -> None:
    response = _sign_in(client, next="/dlq?x=1")
    assert (response.status_code, response.headers["Location"]) == (303, "/dlq?x=1")
    hub = next(c for c in response.headers.getlist("Set-Cookie") if c.startswith("hub="))
    assert "HttpOnly" in hub
    assert "SameSite=Lax" in hub
    with client.session_transaction() as session, app.app_context():
        person = person_of(session["_user_id"])
    assert person is not None
    assert person.name == "Ana"
    assert client.get("/login").status_code == 303


@pytest.mark.parametrize("to", ["//evil.test", "https://evil.test/", "/\\evil.test"])
def test_it_never_leads_away(client: FlaskClient, cast: Cast, to: str) -> None:
    assert _sign_in(client, next=to).headers["Location"] == "/"


@pytest.mark.parametrize(
    "fields",
    [
        {"password": "errada, com certeza"},
        {"email": "ninguem@carinho.com.vc"},
        {"email": "x" * 300},
        {"email": "", "password": ""},
        {"email": "\x00"},
    ],
)
def test_every_mistake_gets_the_same_answer(
    client: FlaskClient, cast: Cast, fields: dict[str, str]
) -> None:
    form = {"csrf_token": _token(client), "email": email(1), "password": PASSWORD, **fields}
    response = client.post("/login", data=form, headers=HTML)
    assert response.status_code == 401
    assert "E-mail ou senha incorretos" in response.get_data(as_text=True)
    assert PASSWORD not in response.get_data(as_text=True)


def test_a_login_without_the_form_token_is_refused(client: FlaskClient, cast: Cast) -> None:
    form = {"email": email(1), "password": PASSWORD}
    assert client.post("/login", data=form, headers=HTML).status_code == 403


def test_a_page_of_before_is_shown_again(client: FlaskClient, cast: Cast) -> None:
    """Two tabs open the page at once, and the token of one of them counts."""
    _token(client)
    form = {"csrf_token": "old", "email": email(1), "password": PASSWORD, "next": "/dlq"}
    answer = client.post("/login", data=form, headers=HTML)
    assert answer.status_code == 403
    assert "Entre de novo" in answer.text
    assert email(1) in answer.text
    assert PASSWORD not in answer.text
    # No field is wrong, and nobody is in.
    assert "aria-invalid" not in answer.text
    assert "continue como" not in answer.text
    assert client.get("/dlq", headers=HTML).status_code == 303
    assert _sign_in(client, next="/dlq").headers["Location"] == "/dlq"


def test_a_browser_that_keeps_no_cookie_is_told(client: FlaskClient, cast: Cast) -> None:
    form = {"csrf_token": "any", "email": email(1), "password": PASSWORD}
    answer = client.post("/login", data=form, headers=HTML)
    assert answer.status_code == 403
    assert "permita cookies" in answer.text


def test_a_login_over_another_ends_that_one(app: Flask, client: FlaskClient, cast: Cast) -> None:
    form = {"csrf_token": _token(client), "email": email(1), "password": PASSWORD}
    _sign_in(client)
    old = app.test_client()
    old.set_cookie("hub", _cookie(client))
    assert old.get("/perfil", headers=HTML).status_code == 200
    page = client.post("/login", data=form, headers=HTML).text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token
    client.post("/login", data=form | {"csrf_token": token[1]}, headers=HTML)
    assert client.get("/perfil", headers=HTML).status_code == 200
    assert old.get("/perfil", headers=HTML).status_code == 303


def test_a_page_of_before_the_login_of_another_tab_works_at_the_second_try(
    client: FlaskClient, cast: Cast
) -> None:
    form = {"csrf_token": _token(client), "email": email(1), "password": PASSWORD, "next": "/dlq"}
    _sign_in(client)
    answer = client.post("/login", data=form, headers=HTML)
    assert answer.status_code == 403
    assert '<a href="/dlq">continue como Ana</a>' in answer.text
    token = re.search(r'name="csrf_token" value="([^"]+)"', answer.text)
    assert token
    again = client.post("/login", data=form | {"csrf_token": token[1]}, headers=HTML)
    assert (again.status_code, again.headers["Location"]) == (303, "/dlq")


def test_pages_asked_for_at_once_after_a_login_share_its_token(
    app: Flask, client: FlaskClient, cast: Cast
) -> None:
    """Each with the cookie of the login: one of two would otherwise hold a token that is gone."""
    _sign_in(client)
    cookie = _cookie(client)
    for _ in range(2):
        tab = app.test_client()
        tab.set_cookie("hub", cookie)
        page = tab.get("/incidentes/novo", headers=HTML)
        assert "Set-Cookie" not in page.headers
        token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
        assert token
        form = {"csrf_token": token[1], "title": "CRM fora do ar", "severity": "high"}
        assert client.post("/incidentes", data=form, headers=HTML).status_code == 303


def test_a_session_laid_beforehand_is_not_kept(client: FlaskClient, cast: Cast) -> None:
    _token(client)
    before = _cookie(client)
    with client.session_transaction() as session:
        token = session["csrf_token"]
    _sign_in(client)
    assert _cookie(client) != before
    with client.session_transaction() as session:
        assert session.get("csrf_token") != token


def test_a_copied_cookie_is_dead_after_logout(
    app: Flask, client: FlaskClient, cast: Cast, login
) -> None:
    login(client)
    thief = app.test_client()
    thief.set_cookie("hub", _cookie(client))
    assert thief.get("/login").status_code == 303
    response = client.post("/logout", headers=HTML)
    assert (response.status_code, response.headers["Location"]) == (303, "/login")
    assert thief.get("/login").status_code == 200
    assert client.get("/login").status_code == 200


def test_a_logout_needs_the_form_token(client: FlaskClient, login) -> None:
    login(client)
    del client.environ_base["HTTP_X_CSRFTOKEN"]
    assert client.post("/logout").status_code == 403
    assert client.get("/login").status_code == 303


def test_a_session_ends_by_itself(app: Flask, cast: Cast) -> None:
    with app.app_context():
        token = begin_session(cast.person(1), 1, ADDRESS, "tests")
        assert person_of(token)
        assert person_of("nonsense\udcff") is None
        with transaction() as tx:
            tx.connection.execute(update(LoginSession).values(expires_at=clock.now()))
        assert person_of(token) is None
        with transaction() as tx:
            tx.connection.execute(update(LoginSession).values(expires_at=clock.now() - 1))
        assert remove_stale() == 1


def test_the_use_of_a_session_is_noted(app: Flask, client: FlaskClient, login) -> None:
    login(client)
    with app.app_context(), transaction() as tx:
        tx.connection.execute(update(LoginSession).values(seen_at=0))
    client.get("/login")
    with app.app_context(), transaction() as tx:
        assert tx.connection.execute(select(LoginSession.seen_at)).scalar_one() > 0


def test_guessing_is_slowed_down_per_account(app: Flask, cast: Cast) -> None:
    with app.app_context():
        for number in range(lockout.FREE[lockout.ACCOUNT] + 1):
            with pytest.raises(Unauthenticated):
                authenticate(email(1), "errada", f"192.0.2.{number}")
        with pytest.raises(TooMany) as wait:
            authenticate(email(1), PASSWORD, "192.0.2.99")
        assert 1 <= wait.value.retry_after <= 2


def test_guessing_is_slowed_down_per_address(app: Flask, cast: Cast) -> None:
    failures = lockout.FREE[lockout.ADDRESS] + 1
    with app.app_context():
        with transaction() as tx:
            row = {"kind": lockout.ADDRESS, "subject": ADDRESS}
            tx.session.add(LoginFailure(**row, failures=failures, last_at=clock.now()))
        with pytest.raises(TooMany):
            authenticate("ninguem@carinho.com.vc", "errada", ADDRESS)


def test_a_right_password_clears_the_account_and_not_the_address(app: Flask, cast: Cast) -> None:
    with app.app_context():
        for _ in range(3):
            with pytest.raises(Unauthenticated):
                authenticate(email(1), "errada", ADDRESS)
        authenticate(email(1), PASSWORD, ADDRESS)
        with transaction() as tx:
            rows = tx.connection.execute(select(LoginFailure.kind, LoginFailure.failures)).all()
            assert rows == [(lockout.ADDRESS, 3)]
            assert tx.connection.execute(select(User.last_login_at)).scalar_one()


@pytest.mark.usefixtures("any_database")
def test_guesses_at_once_all_count(app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    # All in one moment: on a slow machine the wait between two guesses would be over meanwhile.
    moment = clock.now()
    monkeypatch.setattr(clock, "now", lambda: moment)

    def guess(_: int) -> str:
        with app.app_context():
            try:
                authenticate(email(1), "errada", ADDRESS)
            except (Unauthenticated, TooMany) as refused:
                return type(refused).__name__
        return "in"

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(guess, range(20)))
    assert answers.count("Unauthenticated") <= lockout.FREE[lockout.ACCOUNT] + 1
    assert "in" not in answers


def test_the_page_says_how_long_to_wait(client: FlaskClient, app: Flask, cast: Cast) -> None:
    with app.app_context(), transaction() as tx:
        subject = lockout.account_subject(email(1))
        row = LoginFailure(kind=lockout.ACCOUNT, subject=subject, failures=9, last_at=clock.now())
        tx.session.add(row)
    response = _sign_in(client)
    assert response.status_code == 429
    assert 1 <= int(response.headers["Retry-After"]) <= 32
    assert "Muitas tentativas" in response.get_data(as_text=True)


def test_preferences_are_kept_and_come_back(
    app: Flask, client: FlaskClient, cast: Cast, login
) -> None:
    login(client)
    form = {"theme": "dark", "next": "/dlq"}
    response = client.post("/preferences", data=form, headers=HTML)
    assert (response.status_code, response.headers["Location"]) == (303, "/dlq")
    assert any("theme=dark" in c for c in response.headers.getlist("Set-Cookie"))
    assert client.post("/preferences", json={"keys": "off"}).json == {"keys": "off"}
    other = app.test_client()
    cookies = _sign_in(other).headers.getlist("Set-Cookie")
    assert any("theme=dark" in c for c in cookies)
    assert any("keys=off" in c for c in cookies)


@pytest.mark.parametrize("form", [{"theme": "pink"}, {"poll": "1"}, {"density": "<b>"}])
def test_odd_preferences_are_refused(client: FlaskClient, login, form: dict[str, str]) -> None:
    login(client)
    assert client.post("/preferences", data=form).status_code == 422


class TestInProduction:
    """With HUB_ENV=production."""

    @pytest.fixture
    def environ(self) -> dict[str, str]:
        return {
            "HUB_ENV": "production",
            "HUB_PUBLIC_URL": "https://hub.test",
            "HUB_TRUSTED_PROXIES": "0",
        }

    def test_the_cookie_is_bound_to_the_host(self, client: FlaskClient) -> None:
        response = client.get("/login", base_url="https://hub.test", headers=HTML)
        (cookie,) = response.headers.getlist("Set-Cookie")
        assert cookie.startswith("__Host-hub=")
        for flag in ("Secure", "HttpOnly", "Path=/", "SameSite=Lax"):
            assert flag in cookie
        assert "Domain" not in cookie
