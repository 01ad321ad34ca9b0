"""One dead letter's page: why, what to do, the attempts, the content."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import clock
from app.access.models import AuditEntry
from app.deliveries.rules.advice import ADVICE, advice, cause_words, decision
from app.events.models import Event
from tests.deliveries import letters
from tests.deliveries.hub import Hub
from tests.pages import BROWSER, CURL, HTMX, XSS, get, text_of


@pytest.fixture
def ana(hub: Hub, client: FlaskClient, login: Callable[..., Any]) -> FlaskClient:
    login(client, 1)
    return client


def refused(hub: Hub, payload: Any, answer: bytes) -> None:
    """An event whose only delivery is refused with this answer."""
    hub.event("payment.failed", payload)
    (claimed,) = letters.take()
    tried = letters.tried(claimed, 422)._replace(response_body=answer)
    letters.record([tried], letters.ONCE, letters.NEVER, "w", clock.now())


def test_it_works(ana: FlaskClient) -> None:
    (letter,) = letters.die()
    said = text_of(get(ana, f"/dlq/{letter}"))
    assert "CRM: o endereço não existe (HTTP 404)." in said
    assert advice("http_404") in said
    assert "Tentativa 1: o endereço não existe (HTTP 404)" in said
    assert "X-Event-ID" in said
    assert "ana@exemplo.com.br" in said


def test_the_look_at_personal_data_is_audited_once(hub: Hub, ana: FlaskClient) -> None:
    (letter,) = letters.die()
    for headers in (BROWSER, BROWSER, HTMX, CURL):
        assert ana.get(f"/dlq/{letter}", headers=headers).status_code == 200
    (look,) = hub.rows(AuditEntry, AuditEntry.action == "personal_data.seen")
    assert (look.target, look.actor_name) == (f"dead_letter:{letter}", "Ana")


def test_what_came_and_what_was_answered_is_escaped(ana: FlaskClient, hub: Hub) -> None:
    refused(hub, {"name": XSS}, f"no {XSS}".encode())
    page = get(ana, "/dlq/1")
    assert XSS not in page
    assert page.count("&lt;script&gt;") >= 2


def test_answer_that_is_no_text_shows(ana: FlaskClient, hub: Hub) -> None:
    refused(hub, {"name": "Ana"}, b"\xff\xfe\x00")
    get(ana, "/dlq/1")


DEEP = tuple(b"[" * n + b"]" * n for n in (450, 600, 800))
STRANGE = (*DEEP, b"[" * 30_000, rb'{"name": "\ud800"}', b'{"n": NaN}', b"\x00")


@pytest.mark.parametrize(
    "answer", STRANGE, ids=["450", "600", "800", "no end", "half a pair", "nan", "nul"]
)
def test_an_answer_is_shown_whatever_it_is(
    ana: FlaskClient, hub: Hub, app: Flask, api_key: Callable[..., str], answer: bytes
) -> None:
    refused(hub, {"name": "Ana"}, answer)
    masked = {"X-API-Key": api_key("dlq:read", "events:read")}
    for address in ("/dlq/1", f"/events/{hub.rows(Event)[0].id}"):
        for accept in (BROWSER, CURL):
            assert ana.get(address, headers=accept).status_code == 200
            said = app.test_client().get(address, headers={**accept, **masked})
            assert said.status_code == 200


def test_part_and_json(ana: FlaskClient) -> None:
    (letter,) = letters.die()
    part = ana.get(f"/dlq/{letter}", headers=HTMX)
    assert "<html" not in part.text
    same = {**HTMX, "If-None-Match": part.headers["ETag"]}
    assert ana.get(f"/dlq/{letter}", headers=same).status_code == 304
    assert ana.get(f"/dlq/{letter}", headers=CURL).json["data"]["id"] == letter


def test_retry_comes_back_to_the_page(ana: FlaskClient) -> None:
    (letter,) = letters.die()
    answer = ana.post(f"/dlq/{letter}/retry", headers=BROWSER)
    assert (answer.status_code, answer.location) == (303, f"/dlq/{letter}")
    assert "Reprocessando" in text_of(get(ana, answer.location))


def test_unknown_letter_is_404(ana: FlaskClient) -> None:
    assert ana.get("/dlq/99", headers=BROWSER).status_code == 404


@pytest.mark.parametrize("error_class", [*ADVICE, "timeout", "http_503", "http_418", "x"])
def test_every_class_has_advice(error_class: str) -> None:
    assert advice(error_class)


@pytest.mark.parametrize(
    ("error_class", "wanted"),
    [
        ("http_422", "correct"),
        ("http_418", "correct"),
        ("http_401", "retry"),
        ("timeout", "retry"),
        ("opted_out", "archive"),
        ("crash", "look"),
        ("unconfirmed", "look"),
    ],
)
def test_what_is_usually_decided(error_class: str, wanted: str) -> None:
    assert decision(error_class) == wanted


@pytest.mark.parametrize(
    ("message", "status", "words"),
    [
        ("os dados são inválidos (HTTP #)", 422, "os dados são inválidos (HTTP 422)"),
        ("não respondeu a tempo (# tentativas)", None, "não respondeu a tempo"),
        ("erro interno (HTTP #) (# tentativas)", 500, "erro interno (HTTP 500)"),
    ],
)
def test_cause_in_words(message: str, status: int | None, words: str) -> None:
    assert cause_words(message, status) == words
