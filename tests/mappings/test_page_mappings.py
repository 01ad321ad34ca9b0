"""The console's pages of routes and mappings."""

from __future__ import annotations

import json

import pytest
from flask import Flask
from flask.testing import FlaskClient

HTML = {"Accept": "text/html"}
PAIR = "/mapeamentos/lead.created/crm"
NEW = {"nome": "name"}


@pytest.fixture
def davi(seeded_app: Flask, client: FlaskClient, login) -> FlaskClient:
    login(client, 2)
    return client


def _systems(client: FlaskClient, event_type: str) -> set[str]:
    rows = client.get(f"/api/routes?event_type={event_type}").json["data"]
    return {row["target_system"] for row in rows if row["active"]}


def _save(client: FlaskClient, document: object, base: str = "1.0.0", **more: str):
    text = document if isinstance(document, str) else json.dumps(document)
    form = {"mapping": text, "base": base, "payload": "{}", **more}
    return client.post(PAIR, data=form, headers=HTML)


def test_the_matrix_works(davi: FlaskClient) -> None:
    page = davi.get("/rotas", headers=HTML).get_data(as_text=True)
    assert 'value="lead.created crm off"' in page
    assert 'value="lead.created site on"' in page


def test_a_route_is_switched_and_the_others_stay(davi: FlaskClient) -> None:
    moved = davi.post("/rotas", data={"cell": "lead.created crm off"}, headers=HTML)
    assert moved.headers["Location"] == "/rotas#route-lead.created"
    assert _systems(davi, "lead.created") == {"marketing"}
    for _ in range(2):
        davi.post("/rotas", data={"cell": "lead.created atendimento on"}, headers=HTML)
    assert _systems(davi, "lead.created") == {"marketing", "atendimento"}


@pytest.mark.parametrize("cell", ["", "lead.created", "lead.created erp on", "x y z"])
def test_an_odd_cell_is_refused(davi: FlaskClient, cell: str) -> None:
    assert davi.post("/rotas", data={"cell": cell}).status_code == 422


def test_a_new_type_gets_a_route(davi: FlaskClient) -> None:
    form = {"event_type": "visit.done", "system": "crm"}
    assert davi.post("/rotas/nova", data=form, headers=HTML).status_code == 303
    assert _systems(davi, "visit.done") == {"crm"}
    page = davi.post("/rotas/nova", data={"event_type": "X", "system": "crm"}, headers=HTML)
    assert page.status_code == 422
    assert "Há um problema" in page.get_data(as_text=True)


def test_operators_look_and_do_not_touch(seeded_app: Flask, client: FlaskClient, login) -> None:
    login(client, 1)
    assert 'name="cell"' not in client.get("/rotas", headers=HTML).get_data(as_text=True)
    assert "Peça a Desenvolvimento" in client.get(PAIR, headers=HTML).get_data(as_text=True)
    assert client.post("/rotas", data={"cell": "lead.created crm off"}).status_code == 403
    assert _save(client, NEW).status_code == 403


def test_the_list_shows_mapped_and_plain_pairs(davi: FlaskClient) -> None:
    page = davi.get("/mapeamentos", headers=HTML).get_data(as_text=True)
    assert "lead.created → CRM" in page
    assert "vai como veio" in page


def test_a_save_is_a_new_version(davi: FlaskClient) -> None:
    assert _save(davi, NEW, note="só o nome").status_code == 303
    page = davi.get(PAIR, headers=HTML).get_data(as_text=True)
    assert "Versão 1.0.1 em uso" in page
    assert "só o nome" in page
    assert "O que mudou de 1.0.0 para 1.0.1" in page


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ('{"a": ', "linha 1"),
        ("[]", "mapping"),
        ({"a": {"type": "magic"}}, "a."),
        ({"_meta": "x"}, "_meta"),
    ],
)
def test_a_wrong_document_is_said_and_kept(davi: FlaskClient, document, words: str) -> None:
    page = _save(davi, document)
    assert page.status_code == 422
    text = page.get_data(as_text=True)
    assert "Há um problema" in text
    assert words in text
    assert len(davi.get(PAIR).json["data"]) == 1


def test_two_people_do_not_overwrite_each_other(davi: FlaskClient) -> None:
    _save(davi, NEW)
    late = _save(davi, {"telefone": "phone"})
    assert late.status_code == 422
    assert "salvou a versão 1.0.1" in late.get_data(as_text=True)
    assert "telefone" in late.get_data(as_text=True)


def test_a_trial_shows_the_result_and_stores_nothing(davi: FlaskClient) -> None:
    form = {"mapping": '{"nome": "name"}', "payload": '{"name": "Maria"}'}
    page = davi.post(f"{PAIR}/testar", data=form, headers=HTML).get_data(as_text=True)
    assert "Resultado do teste" in page
    assert "&#34;nome&#34;: &#34;Maria&#34;" in page
    assert len(davi.get(PAIR).json["data"]) == 1
    wrong = davi.post(f"{PAIR}/testar", data={**form, "payload": "{"}, headers=HTML)
    assert wrong.status_code == 422


def test_a_trial_of_too_much_or_of_no_number_is_refused_in_its_form(davi: FlaskClient) -> None:
    many = json.dumps({"a": [[]] * 100_000})
    document = json.dumps({"nome": {"type": "concat", "sources": ["a.*"] * 50}})
    # As JSON: a form writes each bracket as three characters, and would be too long.
    answer = davi.post(f"{PAIR}/testar", json={"mapping": document, "payload": many}, headers=HTML)
    assert answer.status_code == 422
    assert "nome lê e produz mais de 4 MiB" in answer.get_data(as_text=True)
    form = {"mapping": '{"nome": "name"}', "payload": '{"name": 1e400}'}
    assert davi.post(f"{PAIR}/testar", data=form, headers=HTML).status_code == 422


def test_a_long_result_of_a_trial_is_cut(davi: FlaskClient) -> None:
    form = {"mapping": '{"nome": "name"}', "payload": json.dumps({"name": "x" * 100_000})}
    page = davi.post(f"{PAIR}/testar", data=form, headers=HTML).get_data(as_text=True)
    assert "x\n…</code>" in page


def test_an_old_version_comes_back_as_a_new_one(davi: FlaskClient) -> None:
    old = davi.get(PAIR).json["data"][0]["mapping"]
    _save(davi, NEW)
    davi.post(f"{PAIR}/restaurar", data={"version": "1.0.0"}, headers=HTML)
    newest = davi.get(PAIR).json["data"][0]
    assert (newest["version"], newest["mapping"]) == ("1.0.2", old)
    assert davi.post(f"{PAIR}/restaurar", data={"version": "9.9.9"}).status_code == 404


def test_a_pair_without_mapping_can_get_its_first(davi: FlaskClient) -> None:
    url = "/mapeamentos/lead.updated/crm"
    assert "vai como veio" in davi.get(url, headers=HTML).get_data(as_text=True)
    form = {"mapping": json.dumps(NEW), "base": "", "payload": "{}"}
    assert davi.post(url, data=form, headers=HTML).status_code == 303
    assert davi.get(url).json["data"][0]["version"] == "1.0.0"


@pytest.mark.parametrize("url", ["/mapeamentos/lead.created/erp", "/mapeamentos/X/crm"])
def test_a_pair_that_is_none_is_not_found(davi: FlaskClient, url: str) -> None:
    assert davi.get(url, headers=HTML).status_code == 404
