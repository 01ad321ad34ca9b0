"""What was written when the login or the form was over is kept, to be sent once more."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.pages import BROWSER, HTMX, XSS

FORM = {"title": f"CRM fora do ar {XSS}", "severity": "high"}


def test_without_a_login_the_text_is_kept(client: FlaskClient) -> None:
    answer = client.post("/incidentes", data=FORM, headers=BROWSER)
    assert answer.status_code == 401
    assert 'action="/incidentes' in answer.text
    assert "CRM fora do ar &lt;script&gt;" in answer.text
    assert XSS not in answer.text


def test_a_form_of_an_older_login_is_sent_with_one_more_click(
    seeded_app: Flask, client: FlaskClient, login
) -> None:
    login(client, 1)
    token = client.environ_base.pop("HTTP_X_CSRFTOKEN")
    answer = client.post("/incidentes", data=FORM | {"csrf_token": "old"}, headers=BROWSER)
    assert answer.status_code == 403
    assert "Enviar de novo" in answer.text
    assert 'value="old"' not in answer.text
    sent = client.post("/incidentes", data=FORM | {"csrf_token": token}, headers=BROWSER)
    assert sent.status_code == 303


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({}, 303),
        ({"title": ""}, 303),
        ({"confirmed": "1", "next": "/dlq"}, 303),
        ({"current": "my password", "note": "x"}, 303),
        ({"note": "x"}, 401),
    ],
)
def test_only_where_something_would_be_lost(
    client: FlaskClient, form: dict[str, str], status: int
) -> None:
    answer = client.post("/incidentes", data=form, headers=BROWSER)
    assert answer.status_code == status
    assert "my password" not in answer.text


def test_another_site_gets_no_such_page(client: FlaskClient, login) -> None:
    login(client, 1)
    headers = {**BROWSER, "Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    answer = client.post("/incidentes", data=FORM, headers=headers)
    assert answer.status_code == 403
    assert "Enviar de novo" not in answer.text


def test_a_command_with_a_text_is_not_sent_away(client: FlaskClient) -> None:
    typed = client.post("/incidentes/1/nota", data={"why": "liguei"}, headers=HTMX)
    assert (typed.status_code, typed.headers.get("HX-Redirect")) == (401, None)
    bare = client.post("/incidentes/1/assumir", headers=HTMX)
    assert (bare.status_code, bare.headers["HX-Redirect"][:6]) == (401, "/login")
