"""A number leads to what it names, a phone to what was sent to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from app.db import transaction
from app.deliveries.models import Delivery
from tests.deliveries.letters import die, post
from tests.pages import BROWSER, CURL, XSS, get, text_of

URL = "/procurar"


@pytest.fixture
def ana(seeded_app: Flask, client: FlaskClient, login: Callable[..., Any]) -> Any:
    with seeded_app.app_context():
        login(client, 1)
        yield client


def test_a_single_find_is_opened(ana: FlaskClient) -> None:
    (event_id,) = post()
    answer = ana.get(f"{URL}?q=%23{event_id}", headers=BROWSER)
    assert (answer.status_code, answer.location) == (303, f"/events/{event_id}")


def test_several_are_listed(ana: FlaskClient) -> None:
    die()
    said = text_of(get(ana, f"{URL}?q=1"))
    assert "Evento" in said
    assert "Mensagem com erro" in said
    kinds = [one["kind"] for one in ana.get(f"{URL}?q=1", headers=CURL).json["data"]]
    assert kinds == ["Evento", "Mensagem com erro"]


@pytest.mark.parametrize("text", ["11 98765-4321", "5511987654321", "(11)987654321"])
def test_a_phone_finds_its_messages(ana: FlaskClient, text: str) -> None:
    (event_id,) = post()
    with transaction() as tx:
        tx.connection.execute(update(Delivery).values(lane="whatsapp:5511987654321"))
    found = ana.get(URL, query_string={"q": text}, headers=CURL).json["data"]
    assert {one["url"] for one in found} == {f"/events/{event_id}"}


@pytest.mark.parametrize("text", ["99", "nada", XSS, "9" * 60, "-1", "1e3", "١"])
def test_nothing_is_said_in_words(ana: FlaskClient, text: str) -> None:
    page = ana.get(URL, query_string={"q": text}, headers=BROWSER)
    assert page.status_code == 200
    assert "Nada com este número" in page.text
    assert XSS not in page.text


def test_the_palette_asks_here(ana: FlaskClient) -> None:
    assert '<form class="body" action="/procurar">' in get(ana, "/hoje")
