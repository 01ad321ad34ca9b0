"""Signing in in two steps: switching it on, codes, recovery codes, being made to."""

from __future__ import annotations

import re

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from app import clock
from app.access.actions import logins, second_step
from app.access.actions.logins import Known, begin_session
from app.access.actions.second_step import Half
from app.access.actor import Actor
from app.access.models import LoginFailure, User
from app.access.queries import person_of
from app.access.rules import codes, lockout
from app.db import transaction
from app.errors import Conflict, Invalid, TooMany, Unauthenticated
from app.secrets import seal
from tests.access.cast import ADDRESS, PASSWORD, Cast, email

HTML = {"Accept": "text/html"}
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
OTHER = "KRSXG5CTMVRXEZLUKRSXG5CTMVRXEZLU"
ENROL = "/perfil/duas-etapas"


def code_at(moment: int) -> str:
    """What the phone shows at that time (ms)."""
    return pyotp.TOTP(SECRET).at(moment // 1000)


@pytest.fixture
def ana(app: Flask) -> Known:
    return Cast(app).person(1)


@pytest.fixture
def recovery(app: Flask, ana: Known) -> list[str]:
    """Ana's recovery codes; her last code counted a minute ago."""
    with app.app_context():
        by = Actor("user", ana.id, ana.name, ana.level)
        fresh = second_step.enable(by, SECRET, code_at(clock.now()))
        with transaction() as tx:
            tx.connection.execute(update(User).values(totp_step=User.totp_step - 3))
    return fresh


def half(address: str = ADDRESS) -> Half:
    """What Ana's browser keeps once her password was right."""
    return second_step.begin(logins.authenticate(email(1), PASSWORD, address), address)


def _password(client: FlaskClient, **fields: str):
    page = client.get("/login", headers=HTML).get_data(as_text=True)
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token
    form = {"csrf_token": token[1], "email": email(1), "password": PASSWORD, **fields}
    return client.post("/login", data=form, headers=HTML)


def _code(client: FlaskClient, code: str):
    page = client.get("/login/code", headers=HTML).get_data(as_text=True)
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    form = {"csrf_token": token[1] if token else "", "code": code, "next": "/dlq"}
    return client.post("/login/code", data=form, headers=HTML)


def test_it_works(client: FlaskClient, recovery: list[str]) -> None:
    half = _password(client, next="/dlq")
    assert half.headers["Location"] == "/login/code?next=/dlq"
    assert client.get("/perfil", headers=HTML).status_code == 303
    whole = _code(client, code_at(clock.now()))
    assert (whole.status_code, whole.headers["Location"]) == (303, "/dlq")
    assert client.get("/perfil", headers=HTML).status_code == 200


def test_a_wrong_code_does_not_let_in(client: FlaskClient, recovery: list[str]) -> None:
    _password(client)
    for wrong in ("000000", "", "código", "١٢٣٤٥٦"):
        assert _code(client, wrong).status_code in (401, 429)
    assert client.get("/perfil", headers=HTML).status_code == 303


def test_a_page_of_before_the_login_of_another_tab_leads_on(
    client: FlaskClient, recovery: list[str]
) -> None:
    _password(client)
    _code(client, code_at(clock.now()))
    form = {"csrf_token": "old", "code": "000000", "next": "/dlq"}
    answer = client.post("/login/code", data=form, headers=HTML)
    assert answer.status_code == 403
    assert '<a href="/dlq">continue como Ana</a>' in answer.text


def test_without_the_password_there_is_no_code_to_give(client: FlaskClient, recovery) -> None:
    assert client.get("/login/code", headers=HTML).headers["Location"].startswith("/login")


def test_a_code_counts_once(app: Flask, ana: Known, recovery: list[str]) -> None:
    now = code_at(clock.now())
    with app.app_context():
        assert second_step.check(half(), now, ADDRESS).id == ana.id
        with pytest.raises(Unauthenticated):
            second_step.check(half(), now, ADDRESS)


def test_a_recovery_code_counts_once(app: Flask, ana: Known, recovery: list[str]) -> None:
    assert len(set(recovery)) == codes.RECOVERY_CODES
    with app.app_context():
        assert second_step.check(half(), recovery[3].upper(), ADDRESS).id == ana.id
        with pytest.raises(Unauthenticated):
            second_step.check(half(), recovery[3], ADDRESS)
        second_step.check(half(), recovery[4].replace("-", " "), ADDRESS)


def test_new_codes_end_the_old_ones(app: Flask, ana: Known, recovery: list[str]) -> None:
    with app.app_context():
        fresh = second_step.renew_codes(Actor("user", ana.id, ana.name, 1))
        with pytest.raises(Unauthenticated):
            second_step.check(half(), recovery[0], ADDRESS)
        assert second_step.check(half(), fresh[0], ADDRESS).id == ana.id


def test_guessing_codes_is_slowed_down_and_the_password_does_not_reset_it(
    app: Flask, ana: Known, recovery: list[str]
) -> None:
    with app.app_context():
        begun = half()
        for number in range(lockout.FREE[lockout.ACCOUNT]):
            with pytest.raises(Unauthenticated):
                second_step.check(begun, "000000", f"192.0.2.{number}")
        with pytest.raises(TooMany):
            second_step.check(begun, code_at(clock.now()), "192.0.2.99")
    assert _password(app.test_client()).status_code == 429


def test_a_right_code_forgives_both_steps(app: Flask, client: FlaskClient, recovery) -> None:
    _password(client)
    _code(client, code_at(clock.now()))
    with app.app_context(), transaction() as tx:
        query = select(LoginFailure.kind, LoginFailure.failures)
        assert tx.connection.execute(query).all() == [(lockout.ADDRESS, 0)]


def _enrol_code(client: FlaskClient) -> str:
    """Opens the page that switches it on; what a phone that read its picture shows."""
    page = client.get("/perfil/duas-etapas", headers=HTML).get_data(as_text=True)
    assert "data:image/svg+xml" in page
    secret = re.search(r"<code>([A-Z2-7 ]+)</code>", page)
    assert secret
    return pyotp.TOTP(secret[1].replace(" ", "")).at(clock.now() // 1000)


def _is_on(client: FlaskClient) -> bool:
    return "Ligada" in client.get("/perfil", headers=HTML).get_data(as_text=True)


def _counted(app: Flask) -> dict[str, int]:
    """Attempts that still count, by address."""
    query = select(LoginFailure.subject, LoginFailure.failures)
    with app.app_context(), transaction() as tx:
        places = tx.connection.execute(query.where(LoginFailure.kind == lockout.ADDRESS))
        return {row.subject: row.failures for row in places}


def test_half_a_login_opens_one_and_forgives_once(app: Flask, recovery: list[str]) -> None:
    """Ten recovery codes with one cookie would take the address's count back ten times."""
    with app.app_context():
        for _ in range(5):
            with pytest.raises(Unauthenticated):
                logins.authenticate("ninguem@carinho.com.vc", "errada", ADDRESS)
        begun = half()
        second_step.check(begun, recovery[0], ADDRESS)
        for code in recovery[1:]:
            with pytest.raises(Unauthenticated):
                second_step.check(begun, code, ADDRESS)
        assert not second_step.lasts(begun)
    assert _counted(app) == {ADDRESS: 5}


def test_two_codes_at_once_open_one_login(
    app: Flask, ana: Known, recovery: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    real, seen = second_step._by_recovery, []

    def meanwhile(user_id: int, code: str) -> bool:
        seen.append(code)
        if len(seen) == 1:
            second_step.check(begun, recovery[1], ADDRESS)
        return real(user_id, code)

    monkeypatch.setattr(second_step, "_by_recovery", meanwhile)
    with app.app_context():
        begun = half()
        with pytest.raises(Unauthenticated):
            second_step.check(begun, recovery[0], ADDRESS)
    assert len(seen) == 2


def test_only_what_an_address_counted_is_forgiven_there(app: Flask, recovery: list[str]) -> None:
    with app.app_context():
        second_step.check(half("192.0.2.1"), recovery[0], "192.0.2.2")
    assert _counted(app) == {"192.0.2.1": 1, "192.0.2.2": 0}


def test_half_a_login_ends_with_its_time(
    client: FlaskClient, recovery: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _password(client)
    later = clock.now() + second_step.HALF_MS
    monkeypatch.setattr(clock, "now", lambda: later)
    assert client.get("/login/code", headers=HTML).headers["Location"].startswith("/login?")


def test_switching_it_on_in_the_profile(client: FlaskClient, login) -> None:
    login(client)
    code = _enrol_code(client)
    wrong = client.post(ENROL, data={"code": "000000", "current": PASSWORD}, headers=HTML)
    assert wrong.status_code == 422
    done = client.post(ENROL, data={"code": code, "current": PASSWORD}, headers=HTML)
    assert len(re.findall(r"[2-9a-z]{4}(?:-[2-9a-z]{4}){3}", done.get_data(as_text=True))) == 10
    assert _is_on(client)


@pytest.mark.parametrize("current", ["", "errada"])
def test_switching_it_on_takes_the_password(client: FlaskClient, login, current: str) -> None:
    login(client)
    form = {"code": _enrol_code(client), "current": current}
    assert client.post(ENROL, data=form, headers=HTML).status_code == 422
    assert not _is_on(client)


def test_a_phone_is_not_replaced_by_another(
    app: Flask, client: FlaskClient, login, recovery: list[str]
) -> None:
    """Who took over a session, even one that stood before the page, does not put theirs there."""
    ana = login(client)
    with client.session_transaction() as cookie, app.app_context():
        cookie["totp_new"] = seal(OTHER)
    form = {"code": pyotp.TOTP(OTHER).at(clock.now() // 1000), "current": PASSWORD}
    assert client.post(ENROL, data=form).status_code == 409
    assert client.get(ENROL, headers=HTML).location == "/perfil"
    said = client.get("/perfil", headers=HTML).get_data(as_text=True)
    assert "já está ligada" in said
    assert "Vai trocar de celular?" in said
    with app.app_context():
        with pytest.raises(Conflict):
            second_step.enable(Actor("user", ana.id, "Ana", 1), OTHER, form["code"])
        assert second_step.check(half(), recovery[0], ADDRESS).id == ana.id


def test_switching_it_off_takes_the_password(client: FlaskClient, login, recovery) -> None:
    login(client)
    off = "/perfil/duas-etapas/desligar"
    client.post(off, data={"current": "errada"}, headers=HTML)
    assert _is_on(client)
    client.post(off, data={"current": PASSWORD}, headers=HTML)
    assert not _is_on(client)


def test_who_must_have_it_gets_nowhere_before(app: Flask, client: FlaskClient, login) -> None:
    ana = login(client)
    with app.app_context():
        second_step.require(Actor("user", 9, "Gil", 3), ana.id, True)
    assert client.get("/perfil", headers=HTML).headers["Location"] == "/perfil/duas-etapas"
    assert client.get("/dlq").status_code == 403
    assert client.get("/perfil/duas-etapas", headers=HTML).status_code == 200


def test_who_must_have_it_cannot_switch_it_off(app: Flask, ana: Known, recovery) -> None:
    by = Actor("user", ana.id, ana.name, 1)
    with app.app_context():
        second_step.require(Actor("user", 99, "Gil", 3), ana.id, True)
        with pytest.raises(Conflict):
            second_step.disable(by, ana.id)


def test_a_manager_takes_a_lost_phone_off(app: Flask, ana: Known, recovery: list[str]) -> None:
    with app.app_context():
        token = begin_session(ana, 1, ADDRESS, "tests")
        second_step.disable(Actor("user", 99, "Gil", 3), ana.id, "perdeu o celular")
        assert person_of(token) is None
        with pytest.raises(Unauthenticated):
            second_step.check(half(), code_at(clock.now()), ADDRESS)


def test_it_is_not_switched_on_by_a_wrong_code(app: Flask, ana: Known) -> None:
    with app.app_context(), pytest.raises(Invalid):
        second_step.enable(Actor("user", ana.id, "Ana", 1), SECRET, "12345")


@given(now=st.integers(10**12, 2 * 10**12), steps=st.integers(-3, 3))
def test_a_code_fits_its_time_and_its_neighbours_only(now: int, steps: int) -> None:
    code = code_at(now + steps * 30_000)
    found = codes.step_of(SECRET, code, now, 0)
    if abs(steps) <= codes.DRIFT:
        assert found == now // 30_000 + steps
        assert codes.step_of(SECRET, code, now, found) is None
