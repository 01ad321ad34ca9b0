"""A dry run says what a retry would send; corrections keep the original."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import clock, queues
from app.db import reading
from app.deliveries.models import DeadLetter, Delivery, FormerBody
from app.deliveries.queries.rehearsal import rehearse
from app.mappings.actions import save_mapping
from tests.deliveries.hub import Hub
from tests.deliveries.letters import check_counts, die, row, rows, take
from tests.mappings.cases import ANA
from tests.pages import BROWSER, CURL, get, text_of


@pytest.fixture
def hub(app: Any, app_context: None) -> Hub:
    return Hub(app)


@pytest.fixture
def davi(client: FlaskClient, login: Callable[..., Any], hub: Hub) -> FlaskClient:
    login(client, 2)
    return client


def first() -> int:
    return die()[0]


def test_it_works(davi: FlaskClient) -> None:
    letter = first()
    page = get(davi, f"/dlq/{letter}/ensaio")
    assert "Nada foi enviado" in text_of(page)
    delivery = row(Delivery, row(DeadLetter, letter).delivery_id)
    with reading() as c:
        found = rehearse(c, letter, clock.now())
    assert found.body == delivery.body
    assert found.headers["X-Event-ID"] == str(delivery.event_id)
    assert davi.get(f"/dlq/{letter}/ensaio", headers=CURL).json["data"]["obstacle"] == ""
    assert row(DeadLetter, letter).state == "open"


def test_a_corrected_body_leaves_and_the_original_stays(davi: FlaskClient) -> None:
    letter = first()
    delivery = row(Delivery, row(DeadLetter, letter).delivery_id)
    form = {"payload": '{"name": "Ana Maria"}', "why": "nome errado"}
    answer = davi.post(f"/dlq/{letter}/corrigir", data=form, headers=BROWSER)
    assert answer.status_code == 303
    out = next(r for r in take(queues.RETRY) if r.id == delivery.id)
    assert json.loads(out.body) == {"name": "Ana Maria"}
    assert [bytes(one.body) for one in rows(FormerBody)] == [bytes(delivery.body)]
    check_counts()


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"payload": "{", "why": "x"}, "objeto JSON válido"),
        ({"payload": "[1]", "why": "x"}, "objeto JSON válido"),
        ({"payload": "{}", "why": " "}, "Escreva o motivo"),
    ],
)
def test_what_is_no_object_or_has_no_reason_is_refused(
    davi: FlaskClient, form: dict[str, str], said: str
) -> None:
    letter = first()
    answer = davi.post(f"/dlq/{letter}/corrigir", data=form, headers=BROWSER)
    assert answer.status_code == 422
    assert said in answer.text
    assert row(DeadLetter, letter).state == "open"


def test_a_second_correction_finds_it_gone(davi: FlaskClient) -> None:
    letter = first()
    form = {"payload": "{}", "why": "x"}
    davi.post(f"/dlq/{letter}/corrigir", data=form, headers=BROWSER)
    again = davi.post(f"/dlq/{letter}/corrigir", data=form, headers=BROWSER)
    assert again.status_code == 409


def test_todays_mapping_is_sent_instead(davi: FlaskClient) -> None:
    letter = first()
    form = {"why": "mapeamento corrigido"}
    answer = davi.post(f"/dlq/{letter}/remapear", data=form, headers=BROWSER)
    assert answer.status_code == 303
    assert row(DeadLetter, letter).state == "retrying"
    assert len(rows(FormerBody)) == 1


def test_the_page_and_its_json_tell_what_the_mapping_changes(davi: FlaskClient) -> None:
    letter = first()
    system = row(DeadLetter, letter).system
    save_mapping("payment.failed", system, {"nada": "nada"}, by=ANA, now=clock.now())
    assert "+   &#34;nada&#34;: null" in get(davi, f"/dlq/{letter}/ensaio")
    diff = davi.get(f"/dlq/{letter}/ensaio", headers=CURL).json["data"]["diff"]
    assert '+   "nada": null,' in diff
    assert not any(line.startswith(" ") for line in diff)


def test_level_1_may_look_but_not_correct(
    client: FlaskClient, login: Callable[..., Any], hub: Hub
) -> None:
    login(client, 1)
    letter = first()
    assert "Ensaio da mensagem" in get(client, f"/dlq/{letter}/ensaio")
    form = {"payload": "{}", "why": "x"}
    answer = client.post(f"/dlq/{letter}/corrigir", data=form, headers=BROWSER)
    assert answer.status_code == 403
