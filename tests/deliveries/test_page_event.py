"""One event's page: its way through the hub in words, and the retry of what is missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.deliveries import letters
from tests.deliveries.hub import Hub
from tests.pages import BROWSER, CURL, HTMX, XSS, get, text_of, token_less


@pytest.fixture
def ana(hub: Hub, client: FlaskClient, login: Callable[..., Any]) -> FlaskClient:
    login(client, 1)
    return client


def test_it_works(ana: FlaskClient, hub: Hub) -> None:
    event = hub.event("lead.created")
    first, second = letters.take()
    letters.end([first], 200)
    letters.end([second], 404)
    said = text_of(get(ana, f"/events/{event}"))
    assert "Recebido de Site" in said
    assert "Destinado a 2 sistemas:" in said
    assert "(mapeamento 1.0.0)" in said
    assert "tentativa 1: entregue (HTTP 200)" in said
    assert "virou mensagem com erro." in said
    assert "Terminou com erro" in said
    assert "Reenviar a 1 sistema" in said


def test_event_without_destination(ana: FlaskClient, hub: Hub) -> None:
    event = hub.event("nobody.listens")
    said = text_of(get(ana, f"/events/{event}"))
    assert "Sem destino." in said
    assert "Reenviar aos que faltam" not in said


def test_payload_is_escaped(ana: FlaskClient, hub: Hub) -> None:
    event = hub.event("lead.created", {"name": XSS})
    page = get(ana, f"/events/{event}")
    assert XSS not in page
    assert "&lt;script&gt;" in page


def test_part_and_json(ana: FlaskClient, hub: Hub) -> None:
    event = hub.event("lead.created")
    part = ana.get(f"/events/{event}", headers=HTMX)
    assert "<html" not in part.text
    same = {**HTMX, "If-None-Match": part.headers["ETag"]}
    assert ana.get(f"/events/{event}", headers=same).status_code == 304
    assert ana.get(f"/events/{event}", headers=CURL).json["data"]["id"] == event


def test_retry_reaches_only_the_missing(ana: FlaskClient, hub: Hub) -> None:
    event = hub.event("lead.created")
    first, second = letters.take()
    letters.end([first], 200)
    letters.end([second], 404)
    url = f"/events/{event}/retry"
    asked = ana.post(url, headers=BROWSER)
    assert "Reenviar a 1 sistema?" in asked.text
    done = ana.post(url, data={"confirmed": "1"}, headers=BROWSER)
    assert (done.status_code, done.location) == (303, f"/events/{event}")
    assert [row.status for row in hub.of_event(event)] == ["sent", "pending"]


def test_retry_of_what_is_complete_is_refused(ana: FlaskClient, hub: Hub) -> None:
    event = hub.event("lead.created")
    letters.end(letters.take(), 200)
    form = {"confirmed": "1"}
    assert ana.post(f"/events/{event}/retry", data=form, headers=BROWSER).status_code == 409


def test_no_retry_without_the_form_token(ana: FlaskClient, hub: Hub) -> None:
    event = hub.event("lead.created")
    token_less(ana)
    form = {"confirmed": "1"}
    assert ana.post(f"/events/{event}/retry", data=form, headers=BROWSER).status_code == 403


def test_unknown_event_is_404(ana: FlaskClient) -> None:
    assert ana.get("/events/99", headers=BROWSER).status_code == 404
