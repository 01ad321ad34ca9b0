"""The runbook as a document, glossary, help, contacts: live numbers, who may change them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import clock
from app.access.actor import Actor
from app.runbook.actions import contacts
from app.runbook.queries.contacts import Reach
from app.runbook.rules.escalation import Rules
from app.runbook.rules.glossary import TERMS
from app.runbook.rules.handbook import TROUBLE, UPKEEP
from tests.pages import BROWSER, XSS, get, text_of

GIL = Actor("user", 3, "Gil", 3)
REACH = {"name": "Plantão", "email": "plantao@carinho.com.vc", "phone": "11 9", "calls_for": "x"}
RULES = {"persists": "15", "unavailable": "45", "idle": "10", "why": "plantão de feriado"}


@pytest.fixture
def people(app: Flask, app_context: None, login: Callable[..., Any]) -> Callable[[int], Any]:
    def sign_in(level: int) -> FlaskClient:
        client = app.test_client()
        login(client, level)
        return client

    return sign_in


def test_the_document_has_every_section(people: Callable[[int], Any]) -> None:
    page = get(people(1), "/runbook")
    said = text_of(page)
    for number in range(1, 8):
        assert f'id="s{number}"' in page
    for chapter in (*TROUBLE, *UPKEEP):
        assert f'id="{chapter.anchor}"' in page
    assert "08:00" in said
    assert "Taxa de sucesso > 95 % 90–95 % < 90 %" in said
    assert "DLQ < 10 10–50 > 50" in said
    assert "operacao@carinho.com.vc" in said


def test_its_index_leads_somewhere(people: Callable[[int], Any]) -> None:
    page = get(people(1), "/runbook")
    wanted = set(re.findall(r'href="#([\w-]+)"', page))
    assert wanted <= set(re.findall(r'id="([\w-]+)"', page))


def test_its_numbers_are_the_live_ones(people: Callable[[int], Any]) -> None:
    contacts.save_rules(Rules(17, 43, 9), by=GIL, why="menos", now=clock.now())
    said = text_of(get(people(1), "/runbook"))
    assert "mais de 17 minutos" in said
    assert "mais de 43 minutos" in said


@pytest.mark.parametrize(
    ("url", "said"),
    [("/glossario", "Dead Letter Queue"), ("/ajuda", "Teclado"), ("/contatos", "Gestão")],
)
def test_pages_to_read(people: Callable[[int], Any], url: str, said: str) -> None:
    assert said in text_of(get(people(1), url))


def test_the_glossary_has_the_words_of_the_runbook() -> None:
    words = " ".join(term.word for term in TERMS.values())
    for word in ("DLQ", "Circuit Breaker", "Sync Job", "Retry Queue", "Horizon"):
        assert word in words


def test_management_changes_a_contact(people: Callable[[int], Any]) -> None:
    gil = people(3)
    answer = gil.post("/contatos/2", data={**REACH, "name": f"P {XSS}"}, headers=BROWSER)
    assert answer.status_code == 303
    page = get(gil, "/contatos")
    assert XSS not in page
    assert "plantao@carinho.com.vc" in page


def test_management_changes_the_rules(people: Callable[[int], Any]) -> None:
    gil = people(3)
    assert gil.post("/contatos/regras", data=RULES, headers=BROWSER).status_code == 303
    assert "mais de 15 minutos" in text_of(get(gil, "/contatos"))


@pytest.mark.parametrize(
    ("url", "form"),
    [
        ("/contatos/1", {**REACH, "email": "nada"}),
        ("/contatos/1", {**REACH, "name": ""}),
        ("/contatos/regras", {**RULES, "idle": "0"}),
        ("/contatos/regras", {**RULES, "persists": "ontem"}),
        ("/contatos/regras", {**RULES, "why": " "}),
    ],
)
def test_what_is_wrong_comes_back(people: Callable[[int], Any], url: str, form: Any) -> None:
    page = people(3).post(url, data=form, headers=BROWSER)
    assert page.status_code == 422
    assert "Há um problema" in page.text


@pytest.mark.parametrize("level", [1, 2])
def test_others_may_not(people: Callable[[int], Any], level: int) -> None:
    person = people(level)
    assert person.post("/contatos/2", data=REACH, headers=BROWSER).status_code == 403
    assert person.post("/contatos/regras", data=RULES, headers=BROWSER).status_code == 403
    page = get(person, "/contatos")
    assert "Você não pode alterar limites de SLA e contatos" in page
    assert "Gravar critérios" not in page


def test_who_may_not_is_told_the_address_of_today(people: Callable[[int], Any]) -> None:
    """A button that is disabled, a page that is refused and a program that asks, all three."""
    contacts.save_contact(Reach(3, "Plantão", "plantao@carinho.com.vc", "", "x"), by=GIL, now=1)
    client = people(1)
    asked = "Peça a Gestão (plantao@carinho.com.vc)"
    assert asked in get(client, "/sla")
    assert asked in client.get("/pessoas", headers=BROWSER).get_data(as_text=True)
    assert asked in client.get("/pessoas", headers={"Accept": "application/json"}).json["error"]
    assert "Gestão (plantao@carinho.com.vc)" in get(client, "/perfil")


@pytest.mark.parametrize(
    ("words", "found", "gone"),
    [
        ("banco lento", {"s3-7"}, {"s3-1", "s3-2", "s4-1", "s1", "s5"}),
        ("rotacao", {"s4-1"}, {"s3-7", "s6"}),
        ("ROTAÇÃO de chaves", {"s4-1"}, {"s3-7", "s6"}),
        ("gestao@carinho", {"s5"}, {"s3-1", "s7"}),
    ],
)
def test_the_document_is_searched(
    people: Callable[[int], Any], words: str, found: set[str], gone: set[str]
) -> None:
    """Only what has all the words stays, whatever accents one types."""
    page = get(people(1), f"/runbook?q={words}")
    there = set(re.findall(r'id="(s\d(?:-\d)?)"', page))
    assert found <= there
    assert there.isdisjoint(gone)
    assert f'value="{words}"' in page


def test_nothing_in_the_document_says_it(people: Callable[[int], Any]) -> None:
    page = get(people(1), f"/runbook?q={XSS}")
    assert "Nada corresponde aos filtros" in page
    assert XSS not in page


def test_the_keys_lead_to_all_pages(people: Callable[[int], Any]) -> None:
    """The help and the dialog on `?` name each letter that the navigation has."""
    page = get(people(3), "/ajuda")
    letters = re.findall(r'data-key="(\w)"', page)
    assert len(letters) == len(set(letters)) > 15
    for key in letters:
        assert page.count(f"<kbd>{key}</kbd>") >= 2
