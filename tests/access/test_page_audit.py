"""The page of the audit trail: who, what, why; filters, pages, CSV, a broken chain."""

from __future__ import annotations

import re
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from app import clock
from app.access.actions.audit import record
from app.access.actor import Actor
from app.access.models import AuditEntry
from app.access.rules.difference import ABSENT, differences
from app.access.rules.words import ACTIONS, action_words
from app.db import transaction
from tests.house.running import ROOT

HTML = {"Accept": "text/html"}
# 24 November 2026, 09:00 in São Paulo.
NINE = 1_795_521_600_000
NO_DAY = "2026-13-40T00:00:00.000Z"
PART = {"HX-Request": "true", "HX-Request-Type": "partial"}
BIA = Actor("user", 7, "Bia", 2, (), "192.0.2.7")


@pytest.fixture
def trail(app: Flask, client: FlaskClient, login) -> FlaskClient:
    """Davi looks at what Bia did."""
    login(client, 2)
    with app.app_context(), transaction() as tx:
        for number in range(30):
            record(tx, BIA, "user.level_changed", f"user:{number}", "=1+1", {"level": 1},
                   {"level": 2})  # fmt: skip
        record(tx, BIA, "breaker.reset", "breaker:crm", "o CRM voltou")
    return client


def test_it_works(trail: FlaskClient) -> None:
    page = trail.get("/auditoria", headers=HTML).get_data(as_text=True)
    for words in ("Religou disjuntor", "Bia", "o CRM voltou", "<del>1</del>", "Registro íntegro"):
        assert words in page
    entry = trail.get("/auditoria?q=CRM+voltou").json["data"][0]
    assert (entry["action"], entry["why"]) == ("breaker.reset", "o CRM voltou")


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("who=Bia", 31), ("who=Ana", 0), ("action=breaker", 1), ("action=break", 0),
        ("target=user:3", 1), ("q=voltou", 1), ("q=%25", 0), ("from=2100-01-01", 0),
        ("to=2000-01-01", 0), ("who=Bia&from=2000-01-01&to=2100-01-01", 31),
    ],
)  # fmt: skip
def test_filters(trail: FlaskClient, query: str, count: int) -> None:
    assert trail.get(f"/auditoria?{query}").json["meta"]["total"] == count


@pytest.mark.parametrize("query", ["from=ontem", "after=x", "who=%00", "per_page=0"])
def test_an_odd_filter_is_refused(trail: FlaskClient, query: str) -> None:
    assert trail.get(f"/auditoria?{query}").status_code == 422


def test_pages_by_key_show_everything_once(trail: FlaskClient) -> None:
    url, seen = "/auditoria?who=Bia&per_page=10", []
    while url:
        answer = trail.get(url).json
        seen += [entry["id"] for entry in answer["data"]]
        url = answer["meta"]["next"]
    assert len(seen) == len(set(seen)) == 31
    assert seen == sorted(seen, reverse=True)


def test_newer_entries_wait_until_asked_for(app: Flask, trail: FlaskClient) -> None:
    page = trail.get("/auditoria?who=Bia", headers=HTML).get_data(as_text=True)
    (live,) = re.findall(r'hx-get="([^"]*upto=[^"]*)"', page)
    with app.app_context(), transaction() as tx:
        record(tx, BIA, "breaker.reset", "breaker:site", "o site voltou")
    part = trail.get(unescape(live), headers=PART).get_data(as_text=True)
    assert "1 nova – mostrar" in part
    assert "o site voltou" not in part
    (shown,) = re.findall(r'id="newer" href="([^"]*)"', part)
    assert "o site voltou" in trail.get(shown, headers=HTML).get_data(as_text=True)


def test_the_file_runs_no_formula(trail: FlaskClient) -> None:
    text = trail.get("/auditoria.csv?who=Bia", buffered=True).get_data(as_text=True)
    assert text.startswith("\ufeffnúmero;quando;quem")
    assert ";'=1+1;" in text
    assert len(text.splitlines()) == 32


def test_a_broken_chain_is_said_loudly(app: Flask, trail: FlaskClient) -> None:
    with app.app_context(), transaction() as tx:
        changed = update(AuditEntry).where(AuditEntry.id == 5).values(actor_name="Outra")
        tx.connection.execute(changed)
    page = trail.get("/auditoria", headers=HTML).get_data(as_text=True)
    assert "foi alterado fora do hub" in page
    assert 'role="alert"' in page
    assert trail.get("/auditoria").json["chain"] == {"whole": False, "entries": 4, "broken_at": 5}


def test_nobody_edits_it(app: Flask) -> None:
    rules = [rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/auditoria")]
    assert rules
    assert all(rule.methods == {"GET", "HEAD", "OPTIONS"} for rule in rules)


def test_the_live_part_brings_the_token_for_the_forms_around_it(trail: FlaskClient) -> None:
    """After a new login in another tab "Sair" and the preferences would be refused without it."""
    assert 'name="csrf_token"' in trail.get("/auditoria", headers=HTML | PART).text


def test_the_live_part_says_304(trail: FlaskClient) -> None:
    first = trail.get("/auditoria", headers=PART)
    again = trail.get("/auditoria", headers={**PART, "If-None-Match": first.headers["ETag"]})
    assert (first.status_code, again.status_code) == (200, 304)


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        (None, None, []),
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1, "b": 2}, {"a": 3, "b": 2}, [("a", 1, 3)]),
        ({"a": True}, {"a": 1}, [("a", True, 1)]),
        ({"a": {"b": "x"}}, {"a": {"b": "y"}}, [("a.b", "x", "y")]),
        (None, {"a": None, "b": [1]}, [("b", ABSENT, [1])]),
        ({"a": None}, {"a": 1}, [("a", None, 1)]),
        (["crm"], ["crm", "site"], [("", ["crm"], ["crm", "site"])]),
        ([{"a": 1}], [{"a": 1}, {"a": 2}], [("1.a", ABSENT, 2)]),
    ],
)
def test_differences(before, after, changes) -> None:
    assert differences(before, after) == changes


def test_changes_are_told_in_words(app: Flask, trail: FlaskClient) -> None:
    before = {"in_flight_limit": 8, "paused": False, "timeout": 1.5}
    after = {"in_flight_limit": None, "paused": True, "until": clock.iso(NINE), "expires_at": NINE}
    with app.app_context(), transaction() as tx:
        record(tx, BIA, "system.updated", "system:crm", "teste", before, after)
    page = trail.get("/auditoria?action=system", headers=HTML).get_data(as_text=True)
    told = re.sub(r"<.*?>", "", page)
    for words in (
        "Envios ao mesmo tempo: 8 → nenhum", "Pausado: não → sim", "timeout: 1,5 → (removido)",
        "Até: 24/11/2026 09:00:00", "Vale até: 24/11/2026 09:00:00",
    ):  # fmt: skip
        assert words in told
    entry = trail.get("/auditoria?action=system").json["data"][0]
    assert (entry["before"], entry["after"]) == (before, after)


@pytest.mark.parametrize(
    ("target", "field", "before", "after", "words"),
    [
        ("breaker:crm", "state", "open", "closed",
         "Situação: Aberto (bloqueando envios) → Fechado (normal)"),
        ("dead_letter:4", "state", "open", "archived", "Situação: Aberta → Arquivada"),
        ("checklist:3:2", "state", "open", "failed", "Situação: Sem resposta → Falhou"),
        ("incident:2", "severity", "low", "critical", "Gravidade: Baixa → Crítica"),
        ("endpoint:7", "status", "active", "inactive", "Situação: Ativo → Inativo"),
        ("procedure:5", "outcome", None, "solved", "Resultado: nenhum → Resolvido"),
        ("breaker:crm", "state", "<b>", "open", "Situação: &lt;b&gt; → Aberto (bloqueando envios)"),
        ("system:crm", "state", "open", "closed", "Situação: open → closed"),
        ("breaker:crm", "name", "open", "closed", "Nome: open → closed"),
    ],
)  # fmt: skip
def test_states_have_the_words_of_their_pages(
    app: Flask, trail: FlaskClient, target: str, field: str, before: str, after: str, words: str
) -> None:
    with app.app_context(), transaction() as tx:
        record(tx, BIA, "breaker.reset", target, "teste", {field: before}, {field: after})
    page = trail.get(f"/auditoria?target={target}", headers=HTML).get_data(as_text=True)
    assert words in re.sub(r"</?(?!b>).*?>", "", page)


def test_a_day_that_no_calendar_has_is_shown_as_it_is(app: Flask, trail: FlaskClient) -> None:
    with app.app_context(), transaction() as tx:
        record(tx, BIA, "incident.opened", "incident:1", after={"title": NO_DAY})
    assert NO_DAY in trail.get("/auditoria?action=incident", headers=HTML).get_data(as_text=True)


def test_every_action_written_in_the_code_has_words() -> None:
    """Whatever is named where it is recorded."""
    names = re.compile(r'(?:audit\.record\(tx, [\w.]+,|_audit\(order,)\s*"([a-z_]+\.[a-z_]+)"')
    sources = (ROOT / "app").rglob("*.py")
    found = {name for source in sources for name in names.findall(source.read_text())}
    assert len(found) > 40
    assert {name for name in found if name not in ACTIONS} == set()


def test_an_action_without_words_shows_as_it_is() -> None:
    assert action_words("user.created") == "Cadastrou pessoa"
    assert action_words("thing.done") == "thing.done"
