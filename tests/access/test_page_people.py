"""The pages of people and of the own profile."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.access.actions.logins import authenticate, begin_session
from app.access.queries import person_of
from tests.access.cast import ADDRESS, PASSWORD, Cast, email

HTML = {"Accept": "text/html"}
NEW = "outra senha bem longa"


@pytest.fixture
def ana(app: Flask) -> int:
    return Cast(app).person(1).id


@pytest.fixture
def gil(client: FlaskClient, login) -> FlaskClient:
    login(client, 3)
    return client


def _password(page: str) -> str:
    found = re.search(r'<code id="password">([^<]+)</code>', page)
    assert found
    return found[1]


def test_the_list_works(gil: FlaskClient, ana: int) -> None:
    page = gil.get("/pessoas", headers=HTML).get_data(as_text=True)
    assert email(1) in page
    assert "argon2" not in page
    rows = gil.get("/pessoas").json["data"]
    assert [row["name"] for row in rows] == ["Ana", "Gil"]


@pytest.mark.parametrize("level", [1, 2])
def test_it_is_for_managers(client: FlaskClient, login, level: int) -> None:
    login(client, level)
    assert client.get("/pessoas", headers=HTML).status_code == 403
    assert client.post("/pessoas", data={"name": "X"}, headers=HTML).status_code == 403


def test_a_new_person_gets_a_password_that_is_shown_once(app: Flask, gil: FlaskClient) -> None:
    form = {"name": "Bia", "email": "Bia@carinho.com.vc", "level": "2"}
    made = gil.post("/pessoas", data=form, headers=HTML)
    assert made.status_code == 201
    with app.app_context():
        known = authenticate("bia@carinho.com.vc", _password(made.get_data(as_text=True)), ADDRESS)
    assert known.level == 2
    again = gil.post("/pessoas", data=form, headers=HTML)
    assert again.status_code == 409
    assert "Já existe" in again.get_data(as_text=True)


def test_a_wrong_form_says_so_at_its_fields(gil: FlaskClient) -> None:
    page = gil.post("/pessoas", data={"name": "", "email": "x", "level": "9"}, headers=HTML)
    assert page.status_code == 422
    text = page.get_data(as_text=True)
    assert "Erro:" in text
    assert "Informe um e-mail válido." in text


def test_a_password_is_reset_only_after_a_question(app: Flask, gil: FlaskClient, ana: int) -> None:
    url = f"/pessoas/{ana}/senha"
    asked = gil.post(url, headers=HTML)
    assert "Redefinir a senha de Ana?" in asked.get_data(as_text=True)
    with app.app_context():
        assert authenticate(email(1), PASSWORD, ADDRESS)
    done = gil.post(url, data={"confirmed": "1"}, headers=HTML).get_data(as_text=True)
    with app.app_context():
        assert authenticate(email(1), _password(done), ADDRESS).id == ana


def test_level_disable_enable_and_second_step(gil: FlaskClient, ana: int) -> None:
    gil.post(f"/pessoas/{ana}/nivel", data={"level": "2", "why": "promovida"}, headers=HTML)
    gil.post(f"/pessoas/{ana}/duas-etapas", data={"wanted": "on"}, headers=HTML)
    gil.post(f"/pessoas/{ana}/desativar", data={"confirmed": "1"}, headers=HTML)
    row = gil.get("/pessoas").json["data"][-1]
    assert (row["level"], row["totp_required"], row["active"]) == (2, True, False)
    gil.post(f"/pessoas/{ana}/ativar", headers=HTML)
    gil.post(f"/pessoas/{ana}/duas-etapas", data={"wanted": "off"}, headers=HTML)
    row = gil.get("/pessoas").json["data"][0]
    assert (row["name"], row["totp_required"], row["active"]) == ("Ana", False, True)


def test_the_last_manager_stays(app: Flask, gil: FlaskClient) -> None:
    own = Cast(app).person(3).id
    done = gil.post(f"/pessoas/{own}/desativar", data={"confirmed": "1"}, headers=HTML)
    assert done.status_code == 409


def test_the_profile_works(client: FlaskClient, login) -> None:
    login(client)
    page = client.get("/perfil", headers=HTML).get_data(as_text=True)
    for words in ("Trocar senha", "Onde estou conectado", "Atalhos do teclado", "Peça a"):
        assert words in page or words.lower() in page


def test_the_own_password_changes_here_and_ends_other_logins(
    app: Flask, client: FlaskClient, login
) -> None:
    ana = login(client)
    with app.app_context():
        other = begin_session(ana, 1, ADDRESS, "Firefox")
    form = {"current": PASSWORD, "password": NEW, "again": NEW}
    assert client.post("/perfil/senha", data=form, headers=HTML).status_code == 303
    assert client.get("/perfil", headers=HTML).status_code == 200
    with app.app_context():
        assert person_of(other) is None
        assert authenticate(email(1), NEW, ADDRESS).id == ana.id


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"current": "errada", "password": NEW, "again": NEW}, "não confere"),
        ({"current": PASSWORD, "password": NEW, "again": "x"}, "não são iguais"),
        ({"current": PASSWORD, "password": "curta", "again": "curta"}, "12 a 128"),
    ],
)
def test_a_wrong_change_says_why(client: FlaskClient, login, form, words: str) -> None:
    login(client)
    page = client.post("/perfil/senha", data=form, headers=HTML)
    assert page.status_code == 422
    assert words in page.get_data(as_text=True)


def test_other_logins_end_and_this_one_stays(app: Flask, client: FlaskClient, login) -> None:
    ana = login(client)
    with app.app_context():
        other = begin_session(ana, 1, ADDRESS, "Firefox")
    assert client.post("/perfil/sessoes/encerrar").json == {"ended": 1}
    with app.app_context():
        assert person_of(other) is None
    assert client.get("/perfil").status_code == 200
