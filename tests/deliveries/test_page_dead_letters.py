"""The list of dead letters: what it shows, how it narrows, what leaves it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import clock
from app.deliveries.models import Attempt, DeadLetter
from tests.deliveries import letters
from tests.deliveries.hub import Hub
from tests.pages import BROWSER, CURL, HTMX, XSS, get, text_of, token_less

URL = "/dlq"


@pytest.fixture
def ana(hub: Hub, client: FlaskClient, login: Callable[..., Any]) -> FlaskClient:
    login(client, 1)
    return client


def state(letter: int) -> str:
    return str(letters.row(DeadLetter, letter).state)


def test_it_works(ana: FlaskClient) -> None:
    letters.die(count=2)
    said = text_of(get(ana, URL))
    assert "Abertas 2" in said
    assert "O endereço não existe (HTTP 404)" in said
    assert "CRM: o endereço não existe (HTTP 404)" in said
    assert "Reprocessar este grupo (2)" in said
    assert "2 de 2" in said


def test_empty_differs_from_no_match(ana: FlaskClient) -> None:
    assert "Nenhuma mensagem com erro" in get(ana, URL)
    letters.die()
    assert "Nada corresponde aos filtros" in get(ana, f"{URL}?q=zebra")


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("system=crm", 1),
        ("system=marketing", 0),
        ("event_type=payment.failed", 1),
        ("event_type=lead.created", 0),
        ("error_class=http_404", 1),
        ("days=7", 1),
        ("q=não existe", 1),
        ("state=archived", 0),
    ],
)
def test_filter_narrows(ana: FlaskClient, query: str, shown: int) -> None:
    letters.die()
    assert get(ana, f"{URL}?{query}").count('id="letter-') == shown


def test_pages_follow_each_other(ana: FlaskClient) -> None:
    ids = letters.die(count=27)
    first = get(ana, URL)
    assert first.count('id="letter-') == 25
    oldest = letters.row(DeadLetter, ids[2])
    second = get(ana, f"{URL}?after={oldest.died_at}.{oldest.id}")
    assert 'rel="next"' in first
    assert second.count('id="letter-') == 2
    assert "Voltar ao início" in second


def test_newer_letters_wait_until_asked_for(ana: FlaskClient) -> None:
    (first,) = letters.die()
    row = letters.row(DeadLetter, first)
    (second,) = letters.die()
    url = f"{URL}?upto={row.died_at}.{row.id}"
    part = ana.get(url, headers=HTMX).text
    assert f'id="letter-{second}"' not in part
    assert "1 nova – mostrar" in part


def test_htmx_gets_the_part_and_304_while_it_stays(ana: FlaskClient) -> None:
    letters.die()
    part = ana.get(URL, headers=HTMX)
    assert "<html" not in part.text
    same = {**HTMX, "If-None-Match": part.headers["ETag"]}
    assert ana.get(URL, headers=same).status_code == 304
    letters.die()
    assert ana.get(URL, headers=same).status_code == 200


def test_curl_gets_json(ana: FlaskClient) -> None:
    (letter,) = letters.die()
    assert ana.get(URL, headers=CURL).json["data"][0]["id"] == letter


def test_retry_sends_again_and_the_row_leaves(ana: FlaskClient) -> None:
    (letter,) = letters.die()
    answer = ana.post(f"{URL}/{letter}/retry", headers=HTMX)
    assert (answer.status_code, answer.text) == (200, "")
    assert "sai de novo" in json.loads(answer.headers["HX-Trigger"])["toast"]["text"]
    assert state(letter) == "retrying"


def test_archive_can_be_undone(ana: FlaskClient) -> None:
    (letter,) = letters.die()
    toast = ana.post(f"{URL}/{letter}/archive", headers=HTMX).headers["HX-Trigger"]
    assert state(letter) == "archived"
    assert ana.post(json.loads(toast)["toast"]["undo"], headers=BROWSER).status_code == 303
    assert state(letter) == "open"


@pytest.mark.parametrize("deed", ["retry", "archive"])
def test_second_click_does_nothing(ana: FlaskClient, deed: str) -> None:
    (letter,) = letters.die()
    for _ in range(2):
        assert ana.post(f"{URL}/{letter}/{deed}", headers=HTMX).status_code == 200
    letters.check_counts()


@pytest.mark.parametrize("deed", ["retry", "archive", "unarchive", "delete"])
def test_no_deed_without_the_form_token(ana: FlaskClient, deed: str) -> None:
    (letter,) = letters.die()
    token_less(ana)
    answer = ana.post(f"{URL}/{letter}/{deed}", headers=BROWSER)
    assert answer.status_code == 403
    assert state(letter) == "open"


def test_level_1_sees_delete_disabled_and_cannot(ana: FlaskClient) -> None:
    (letter,) = letters.die()
    ana.post(f"{URL}/{letter}/archive", headers=HTMX)
    page = get(ana, f"{URL}?state=archived")
    assert "Você não pode excluir mensagens arquivadas." in page
    refused = ana.post(f"{URL}/{letter}/delete", data={"confirmed": "1"}, headers=BROWSER)
    assert refused.status_code == 403


def test_level_2_deletes_once_asked(
    hub: Hub, client: FlaskClient, login: Callable[..., Any]
) -> None:
    login(client, 2)
    (letter,) = letters.die()
    client.post(f"{URL}/{letter}/archive", headers=HTMX)
    asked = client.post(f"{URL}/{letter}/delete", headers=BROWSER)
    assert "Excluir a mensagem" in asked.text
    done = client.post(f"{URL}/{letter}/delete", data={"confirmed": "1"}, headers=BROWSER)
    assert (done.status_code, done.location) == (303, URL)
    assert letters.rows(DeadLetter) == []


def test_answers_of_systems_are_escaped_and_masked(ana: FlaskClient, hub: Hub) -> None:
    letters.post("payment.failed", "financeiro")
    answer = f"{XSS} ana.souza@exemplo.com.br +5511999991234".encode()
    (claimed,) = letters.take()
    tried = letters.tried(claimed, 422)._replace(response_body=answer)
    letters.record([tried], letters.ONCE, letters.NEVER, "w", clock.now())
    (attempt,) = letters.rows(Attempt)
    assert attempt.response_body == answer
    page = get(ana, URL)
    assert XSS not in page
    assert "&lt;script&gt;" in page
    assert "a***@exemplo.com.br" in page
    assert "+55 11 9****-1234" in page


def test_csv_holds_the_filter_and_no_formulas(ana: FlaskClient) -> None:
    (letter,) = letters.die()
    ana.post(f"{URL}/{letter}/archive", data={"why": "=1+1"}, headers=BROWSER)
    letters.die()
    answer = ana.get(f"{URL}/export.csv?state=archived", headers=BROWSER, buffered=True)
    assert answer.content_type == "text/csv; charset=utf-8"
    text = answer.data.decode()
    assert text.startswith("\ufeffmensagem;evento;")
    (line,) = text.splitlines()[1:]
    assert line.startswith(f"{letter};")
    assert line.endswith(";'=1+1")


@pytest.mark.parametrize("query", ["after=x", "days=0", "status=7", "per_page=101", "upto=;"])
def test_wrong_filter_is_refused(ana: FlaskClient, query: str) -> None:
    assert ana.get(f"{URL}?{query}", headers=BROWSER).status_code == 422
