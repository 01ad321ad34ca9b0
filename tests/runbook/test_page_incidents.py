"""The pages of incidents: open, work, resolve, report; refusals; the call on every page."""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, insert

from app import clock
from app.access.actions import audit
from app.access.actor import SYSTEM
from app.db import reading, transaction
from app.facts import AlertClosed, AlertRaised
from app.monitoring.models import AlertRow
from app.runbook.actions.escalate import escalate_due
from app.runbook.actions.follow import tell_actions
from app.runbook.queries.incidents import entries, find
from tests.pages import BROWSER, CURL, HTMX, XSS, get, text_of, token_less

URL = "/incidentes"
FORM = {"title": "CRM fora do ar", "severity": "high"}


@pytest.fixture
def ana(app: Flask, app_context: None, client: FlaskClient, login: Callable[..., Any]) -> Any:
    login(client, 1)
    return client


def open_one(client: FlaskClient, **form: str) -> str:
    answer = client.post(URL, data={**FORM, **form}, headers=BROWSER)
    assert answer.status_code == 303, answer.text
    return str(answer.location)


def stored(url: str) -> Any:
    with reading() as c:
        return find(c, int(url.rpartition("/")[2]))


def kinds(url: str) -> list[str]:
    with reading() as c:
        return [e.kind for e in entries(c, int(url.rpartition("/")[2]), newest_first=False)]


def alert(kind: str = "circuit_breaker", subject: str = "crm", level: str = "critical") -> int:
    now = clock.now()
    values = {
        "active_key": f"{kind}:{subject}", "type": kind, "subject": subject, "level": level,
        "worst": level, "message": "Disjuntor aberto: mensagens para CRM estão paradas.",
        "value": 1, "opened_at": now - 60_000, "last_seen_at": now,
    }  # fmt: skip
    with transaction() as tx:
        made = tx.connection.execute(insert(AlertRow).values(**values)).inserted_primary_key
    return int(made[0]) if made else 0


def test_it_works(ana: FlaskClient) -> None:
    assert "Nenhum incidente aberto" in text_of(get(ana, URL))
    one = open_one(ana, details=f"vi agora {XSS}")
    page = get(ana, one)
    assert XSS not in page
    said = text_of(page)
    assert "Ninguém assumiu ainda. Escala para Desenvolvimento em 29 min" in said
    ana.post(f"{one}/assumir", headers=BROWSER)
    assert "Ana está cuidando." in text_of(get(ana, one))
    ana.post(f"{one}/nota", data={"why": "reiniciei o CRM"}, headers=BROWSER)
    ana.post(f"{one}/gravidade", data={"severity": "critical"}, headers=BROWSER)
    ana.post(f"{one}/indisponivel", data={"unavailable": "1"}, headers=BROWSER)
    ana.post(f"{one}/encerrar", data={"why": "o CRM voltou", "confirmed": "1"}, headers=BROWSER)
    assert kinds(one) == [
        "opened", "acknowledged", "note", "severity", "unavailable", "resolved",
    ]  # fmt: skip
    report = text_of(get(ana, f"{one}/relatorio"))
    assert "reiniciei o CRM" in report
    assert "Causa e solução o CRM voltou" in report
    assert "CRM fora do ar" in text_of(get(ana, f"{URL}?state=resolved"))


def test_from_an_alert_once(ana: FlaskClient) -> None:
    number = alert()
    form = get(ana, f"{URL}/novo?alert={number}")
    assert "mensagens para CRM estão paradas" in form
    assert "checked" in form
    one = open_one(ana, alert=str(number), title="", severity="", unavailable="1")
    row = stored(one)
    assert (row.severity, row.system, row.alert_key) == ("critical", "crm", "circuit_breaker:crm")
    assert row.unavailable_since < row.opened_at
    assert open_one(ana, alert=str(number)) == one


def test_it_says_where_it_came_from_as_long_as_that_is_there(ana: FlaskClient) -> None:
    number = alert()
    one = open_one(ana, alert=str(number))
    assert f'href="/alerts/{number}">alerta {number}</a>' in get(ana, one)
    with transaction() as tx:
        tx.connection.execute(delete(AlertRow))
    for page in (one, f"{one}/relatorio"):
        said = get(ana, page)
        assert "o registro já foi apagado" in said
        assert f"/alerts/{number}" not in said


@pytest.mark.parametrize(
    "source", ["run:x", "run:", "run:1:2:3", f"run:{'9' * 60}", "checklist:7:1"]
)
def test_a_source_that_means_nothing_breaks_nothing(ana: FlaskClient, source: str) -> None:
    assert "Origem" in text_of(get(ana, open_one(ana, source=source)))


def test_alerts_write_into_the_timeline(ana: FlaskClient) -> None:
    first, other = alert(), alert("queue_size", "site")
    one = open_one(ana, alert=str(first), unavailable="1")
    with transaction() as tx:
        tx.tell(AlertClosed(first, "circuit_breaker", "crm"))
        tx.tell(AlertRaised(other, "queue_size", "site", "warning", "outra coisa"))
    assert stored(one).unavailable_since is None
    assert kinds(one)[-2:] == ["alert_closed", "available"]
    with transaction() as tx:
        tx.tell(AlertRaised(first, "circuit_breaker", "crm", "critical", "de novo"))
    assert stored(one).unavailable_since is not None


def test_what_is_done_in_the_console_is_told_once(ana: FlaskClient) -> None:
    one = open_one(ana)
    with transaction() as tx:
        audit.record(tx, SYSTEM, "breaker.reset", "system:crm", "voltou")
        audit.record(tx, SYSTEM, "session.started", "user:1")
    tell_actions()
    tell_actions()
    assert kinds(one) == ["opened", "action"]
    assert "Religou disjuntor" in text_of(get(ana, one))


def test_from_a_checklist_item_once(ana: FlaskClient) -> None:
    one = open_one(ana, source="checklist:3:2")
    assert stored(one).origin == "item"
    assert open_one(ana, source="checklist:3:2") == one
    assert open_one(ana) != open_one(ana)


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"title": " "}, "Escreva o que está acontecendo"),
        ({"title": "x" * 201}, "no máximo 200"),
        ({"severity": "huge"}, "Escolha a gravidade"),
        ({"details": "x" * 4001}, "no máximo 4000"),
    ],
)
def test_a_wrong_form_comes_back(ana: FlaskClient, form: dict[str, str], said: str) -> None:
    page = ana.post(URL, data={**FORM, **form}, headers=BROWSER)
    assert page.status_code == 422
    assert "Há um problema" in page.text
    assert said in page.text


@pytest.mark.parametrize("command", ["escalonar", "encerrar", "reabrir"])
def test_without_javascript_it_asks_first(ana: FlaskClient, command: str) -> None:
    one = open_one(ana)
    page = ana.post(f"{one}/{command}", headers=BROWSER)
    assert page.status_code == 200
    assert 'name="confirmed" value="1"' in page.text
    page = ana.post(f"{one}/{command}", data={"confirmed": "1", "why": " "}, headers=BROWSER)
    assert page.status_code == 422
    assert kinds(one) == ["opened"]


def test_htmx_gets_the_part_alone_and_304_while_it_stays(ana: FlaskClient) -> None:
    one = open_one(ana)
    for url in (URL, one):
        part = ana.get(url, headers=HTMX)
        assert "<html" not in part.text
        again = ana.get(url, headers={**HTMX, "If-None-Match": part.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
    ana.post(f"{one}/nota", data={"why": "algo novo"}, headers=BROWSER)
    assert "algo novo" in ana.get(one, headers=HTMX).text


def test_programs_do_the_same(client: FlaskClient, app_context: None, api_key: Any) -> None:
    head = {"X-API-Key": api_key("incidents:*"), **CURL}
    made = client.post(URL, json=FORM, headers=head)
    assert made.status_code == 201
    number = made.json["data"]["id"]
    told = client.post(f"{URL}/{number}/escalonar", json={"why": "sem gente"}, headers=head)
    assert told.json["data"]["level"] == 2
    assert client.post(f"{URL}/{number}/nota", json={}, headers=head).status_code == 422
    one = client.get(f"{URL}/{number}", headers=head).json["data"]
    assert [entry["kind"] for entry in one["timeline"]] == ["not_notified", "escalated", "opened"]
    assert client.get(URL, headers=head).json["meta"]["total"] == 1


def test_a_key_without_the_scope_may_not(client: FlaskClient, app: Flask, api_key: Any) -> None:
    head = {"X-API-Key": api_key("incidents:read"), **CURL}
    assert client.post(URL, json=FORM, headers=head).status_code == 403


def test_no_command_without_the_form_token(ana: FlaskClient) -> None:
    one = open_one(ana)
    token_less(ana)
    assert ana.post(f"{one}/assumir", headers=BROWSER).status_code == 403


def test_what_is_over_takes_no_commands(ana: FlaskClient) -> None:
    one = open_one(ana)
    ana.post(f"{one}/encerrar", data={"why": "passou", "confirmed": "1"}, headers=BROWSER)
    assert ana.post(f"{one}/assumir", headers=BROWSER).status_code == 409
    ana.post(f"{one}/reabrir", data={"why": "voltou", "confirmed": "1"}, headers=BROWSER)
    assert stored(one).state == "open"


def test_unknown_is_404(ana: FlaskClient) -> None:
    get(ana, f"{URL}/99", 404)
    assert ana.post(f"{URL}/99/nota", data={"why": "x"}, headers=BROWSER).status_code == 404


def test_procedures_run_inside_it(ana: FlaskClient) -> None:
    one = open_one(ana)
    form = {"incident": one.rpartition("/")[2], "origin": f"incident:{one.rpartition('/')[2]}"}
    assert ana.post("/procedimentos/dlq", data=form, headers=BROWSER).status_code == 303
    page = get(ana, one)
    assert "Mensagens com erro (DLQ)" in text_of(page)
    assert "/procedimentos/execucoes/" in page
    assert "Mensagens com erro (DLQ)" in text_of(get(ana, f"{one}/relatorio"))


def test_filters_and_pages(ana: FlaskClient) -> None:
    for number in range(60):
        open_one(ana, title=f"problema {number}", severity="low" if number % 2 else "high")
    seen: list[str] = []
    url = f"{URL}?severity=low&size=25"
    for _ in range(2):
        page = ana.get(url, headers=CURL).json
        seen += [row["title"] for row in page["data"]]
        url = page["meta"]["next"]
    assert url is None
    assert seen == [f"problema {number}" for number in range(59, 0, -2)]
    assert "Nada corresponde aos filtros" in text_of(get(ana, f"{URL}?q=nada"))


def test_pages_of_all_show_each_once(ana: FlaskClient) -> None:
    made = [open_one(ana, title=f"n {number}") for number in range(40)]
    for url in made[::2]:
        ana.post(f"{url}/encerrar", data={"why": "passou", "confirmed": "1"}, headers=BROWSER)
    seen: list[int] = []
    url: str | None = f"{URL}?state=all"
    while url:
        page = ana.get(url, headers=CURL).json
        seen += [row["id"] for row in page["data"]]
        url = page["meta"]["next"]
    assert len(seen) == len(set(seen)) == 40
    assert [stored(f"/{id_}").state for id_ in seen[:20]] == ["open"] * 20


def test_the_called_level_sees_it_on_every_page(
    ana: FlaskClient, app: Flask, login: Callable[..., Any]
) -> None:
    one = open_one(ana)
    escalate_due(clock.now() + 31 * clock.MINUTE)
    assert "Seu nível foi chamado" not in get(ana, "/circuit-breakers")
    davi = app.test_client()
    contextvars.Context().run(login, davi, 2)
    assert "Seu nível foi chamado" in get(davi, "/circuit-breakers")
    assert "CRM fora do ar" in ana.get("/dashboard", headers=BROWSER).text
    davi.post(f"{one}/assumir", headers=BROWSER)
    assert "Seu nível foi chamado" not in get(davi, "/circuit-breakers")
