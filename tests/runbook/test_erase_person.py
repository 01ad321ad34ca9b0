"""Export and erase what is held of a person: everywhere, however it is written, counters kept."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import insert, update

from app import clock
from app.access.models import AuditEntry
from app.db import Tx, transaction
from app.deliveries.actions.add import New, add
from app.deliveries.models import Attempt, DeadLetter, Delivery, FormerBody
from app.errors import Invalid
from app.events.models import Event
from app.messages.rules.mail import Mail
from app.runbook.models.incidents import Incident, IncidentEntry
from app.runbook.rules.privacy import ERASED, about, erased, person
from tests.deliveries.hub import Hub, tried

MARIA = {
    "name": "Maria da Silva",
    "phone": "(11) 98765-4321",
    "email": "Maria@Example.com",
    "cpf": "529.982.247-25",
    "utm_source": "google",
}
OTHER = {"name": "João", "phone": "11 91111-2222", "email": "joao@example.com", "id": 8}


@pytest.fixture
def hub(app: Flask, app_context: None) -> Hub:
    return Hub(app)


@pytest.mark.parametrize(
    "stored",
    [
        '{"phone": "+55 11 98765-4321"}',
        '{"phone": "5511987654321"}',
        '{"phone": 5511987654321}',
        '{"text": "ligue para (11) 98765-4321 hoje"}',
        '{"a": [{"b": "11987654321"}]}',
        '{"mail": "MARIA@example.com"}',
        '{"cpf": "52998224725"}',
        "maria@example.com called",
    ],
)
def test_a_person_is_found_however_it_is_written(stored: str) -> None:
    who = person("11987654321", "maria@example.com", "529.982.247-25")
    assert about(who, stored)
    assert not about(who, erased(who, stored))


@pytest.mark.parametrize(
    "stored",
    [
        '{"phone": "5511987654322"}',
        '{"mail": "anna.maria@example.com"}',
        '{"mail": "maria@example.com.br"}',
        '{"cpf": "52998224726"}',
        '{"at": "2026-11-23T08:05:09"}',
    ],
)
def test_others_are_left_alone(stored: str) -> None:
    assert not about(person("11987654321", "maria@example.com", "52998224725"), stored)


@pytest.mark.parametrize(
    ("given", "field"),
    [(("", "", ""), "person"), (("123", "", ""), "phone"), (("", "x", ""), "email"),
     (("", "", "12"), "cpf")],
)  # fmt: skip
def test_what_names_nobody_is_refused(given: tuple[str, str, str], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        person(*given)
    assert list(refused.value.details) == [field]


def invoke(hub: Hub, *words: str) -> tuple[int, Any]:
    result = hub.app.test_cli_runner().invoke(args=["privacy", *words])
    return result.exit_code, json.loads(result.stdout) if result.stdout.startswith("{") else None


def delivered(hub: Hub, payload: dict[str, Any]) -> int:
    """An event of the person that one system took and one refused."""
    event_id = hub.event("lead.created", payload)
    for number, row in enumerate(hub.claim().rows):
        echo = json.dumps({"data": payload}).encode()
        hub.record(tried(row, 201 if number else 422, response_body=echo))
    return event_id


def test_an_export_holds_what_is_held(hub: Hub) -> None:
    mine, _ = delivered(hub, MARIA), delivered(hub, OTHER)
    code, held = invoke(hub, "export", "--email", "maria@example.com", "--why", "pedido 12")
    assert code == 0
    assert [row["id"] for row in held["events"]] == [mine]
    assert {row["event_id"] for row in held["deliveries"]} == {mine}
    assert "João" not in json.dumps(held)
    (entry,) = hub.rows(AuditEntry, AuditEntry.action == "privacy.exported")
    assert entry.why == "pedido 12"
    assert "maria" not in f"{entry.target}{entry.after_json}".lower()


def test_erase_leaves_no_trace_and_keeps_the_counters(hub: Hub) -> None:
    mine, other = delivered(hub, MARIA), delivered(hub, OTHER)
    before = hub.total("events.accepted"), hub.total("deliveries.sent"), hub.count(Event)
    code, told = invoke(hub, "erase", "--phone", "11987654321")
    assert code == 0
    assert told["erased"]["events"] == 1
    assert (hub.total("events.accepted"), hub.total("deliveries.sent"), hub.count(Event)) == before
    payload = json.loads(hub.event_row(mine).payload)
    assert payload["utm_source"] == "google"
    assert {payload[name] for name in ("name", "phone", "email", "cpf")} == {ERASED}
    kept = json.dumps([str(row) for model in (Event, Delivery, Attempt) for row in hub.rows(model)])
    assert "Maria" not in kept
    assert "98765" not in kept
    assert json.loads(hub.event_row(other).payload) == OTHER
    assert {row.event_id: row.state for row in hub.rows(DeadLetter)} == {
        mine: "archived", other: "open",
    }  # fmt: skip
    assert invoke(hub, "erase", "--phone", "11987654321")[1]["erased"]["events"] == 0


def _incident(tx: Tx) -> int:
    moments = dict.fromkeys(("opened_at", "counted_from", "touched_at"), 1)
    words = {"title": "CRM fora", "severity": "low", "state": "resolved", "rules_json": "{}"}
    made = tx.connection.execute(insert(Incident).values(**words, **moments, opened_by="Ana"))
    return int((made.inserted_primary_key or (0,))[0])


def test_what_hangs_on_a_persons_event_is_theirs_too(hub: Hub) -> None:
    event_id = hub.event("client.registered", MARIA)
    for row in hub.claim().rows:
        url = "http://crm/api/v1/leads?phone=5511987654321" if row.system == "crm" else "/x"
        hub.record(tried(row, 422, url=url, response_body=b'{"email": "ana@other.com"}'))
    with transaction() as tx:
        mail = Mail("maria@example.com", "Oi, Maria", "Seja bem-vinda, Maria").as_body()
        new = New(event_id, "client.registered", "email", "email", "notifications", mail)
        add(tx, new, clock.now())
        first = hub.of_event(event_id)[0]
        former = {"delivery_id": first.id, "at": 1, "by": "Ana", "body": json.dumps(MARIA).encode()}
        tx.connection.execute(insert(FormerBody).values(**former, why="", mapping_version=""))
        entry = {"incident_id": _incident(tx), "at": 1, "kind": "note", "by_name": "Ana"}
        tx.connection.execute(insert(IncidentEntry).values(**entry, text="Liguei 11 98765-4321"))
        done = update(Delivery).values(status="sent")
        tx.connection.execute(done.where(Delivery.event_id == event_id))
        ended = update(Event).where(Event.id == event_id)
        tx.connection.execute(ended.values(status="done"))
    code, held = invoke(hub, "export", "--phone", "11987654321")
    assert code == 0
    assert any("Seja bem-vinda" in row["body"] for row in held["deliveries"])
    assert len(held["former_bodies"]) == len(held["incident_entries"]) == 1
    assert invoke(hub, "erase", "--phone", "11987654321")[0] == 0
    models = (Event, Delivery, Attempt, FormerBody, IncidentEntry)
    kept = str([tuple(row) for model in models for row in hub.rows(model)])
    assert "Maria" not in kept and "98765" not in kept and "maria@" not in kept


def test_a_dry_run_changes_nothing(hub: Hub) -> None:
    mine = delivered(hub, MARIA)
    code, told = invoke(hub, "erase", "--cpf", "52998224725", "--dry-run")
    assert (code, told["dry_run"], told["erased"]["events"]) == (0, True, 1)
    assert json.loads(hub.event_row(mine).payload) == MARIA
    assert hub.rows(AuditEntry, AuditEntry.action == "privacy.erased") == []


def test_what_is_on_its_way_waits(hub: Hub) -> None:
    event_id = hub.event("lead.created", MARIA)
    code, told = invoke(hub, "erase", "--phone", "11987654321")
    assert code == 1
    assert told["busy"]["events"] == 1
    assert json.loads(hub.event_row(event_id).payload) == MARIA


def test_nobody_is_an_error(hub: Hub) -> None:
    assert invoke(hub, "export")[0] == 1


@pytest.mark.parametrize("levels", [1, 200, 450, 900, 10_000])
def test_a_record_is_erased_however_deep_it_is(levels: int) -> None:
    stored = "[" * levels + json.dumps(MARIA) + "]" * levels
    who = person(MARIA["phone"], MARIA["email"], "")
    assert about(who, stored)
    assert "Maria" not in erased(who, stored)


def test_what_is_erased_of_strange_texts_can_be_stored() -> None:
    stored = r'{"email": "maria@example.com", "note": "\ud800"}'
    left = erased(person("", MARIA["email"], ""), stored)
    assert json.loads(left.encode()) == {"email": ERASED, "note": "\ud800"}
