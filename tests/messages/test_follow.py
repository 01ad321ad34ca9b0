"""Callbacks: ticks of messages in any order, the connection, and what the alerts make of it."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from app import clock
from app.db import reading, transaction
from app.messages.actions import connection
from app.messages.models import OptOut, WhatsAppMessage, WhatsAppState
from app.messages.queries.connection import state
from app.messages.rules.ticks import state_of, wants_out
from app.monitoring.queries.snapshot import take_snapshot
from app.monitoring.queries.whatsapp import whatsapp_state
from app.monitoring.rules.alerts import alerts
from app.monitoring.rules.snapshot import WhatsApp
from tests.automations.office import PHONE, Office
from tests.partners.client import Partners

HEADERS = {"z-api-token": "a-token-that-nobody-may-see"}


@pytest.fixture
def tick(office: Office, client: FlaskClient) -> Any:
    """`tick("READ", "M1")` posts a callback of status."""

    def post(status: str, *ids: str, **values: Any) -> None:
        callback = {
            "type": "MessageStatusCallback", "ids": list(ids), "status": status, "phone": PHONE,
            "momment": clock.now(), "instanceId": "I", **values,
        }  # fmt: skip
        answer = client.post("/webhooks/whatsapp/status", json=callback, headers=HEADERS)
        assert answer.status_code == 200

    return post


def _states(office: Office) -> dict[str, str]:
    return {row.message_id: state_of(row) for row in office.rows(WhatsAppMessage)}


def test_ticks_move_a_message_on(office: Office, tick: Any) -> None:
    office.receive("lead.created", {"phone": PHONE})
    office.work()
    (sent,) = office.sent()
    seen = []
    for status in ("SENT", "RECEIVED", "READ"):
        tick(status, sent["messageId"])
        seen.append(_states(office)[sent["messageId"]])
    assert seen == ["enviada", "recebida", "lida"]


@pytest.mark.parametrize(
    ("statuses", "state_then"),
    [
        (("READ", "RECEIVED", "SENT"), "lida"),
        (("PLAYED",), "lida"),
        (("RECEIVED", "READ_BY_ME"), "recebida"),
        (("SENT", "SENT"), "enviada"),
    ],
)
def test_the_order_of_ticks_does_not_matter(
    office: Office, tick: Any, statuses: tuple[str, ...], state_then: str
) -> None:
    for status in statuses:
        tick(status, "M1", "M2")
    assert _states(office) == {"M1": state_then, "M2": state_then}


def test_a_tick_may_come_before_the_send_is_recorded(office: Office, tick: Any) -> None:
    office.receive("lead.created", {"phone": PHONE})
    record = office.engine.outcomes.record
    taken: list[Any] = []
    office.engine.outcomes.record = lambda tries, patient: taken.extend(tries)  # type: ignore[method-assign]
    office.turn()
    tick("READ", office.sent()[0]["messageId"])
    record(taken, patient=True)
    office.engine.outcomes.record = record  # type: ignore[method-assign]
    (row,) = office.rows(WhatsAppMessage)
    assert row.delivery_id is not None and state_of(row) == "lida"


def test_the_state_is_asked_for_and_told(office: Office, partners: Partners) -> None:
    with reading() as c:
        assert state(c) is None and whatsapp_state(c, clock.now()).status == "not_checked"
    connection.check()
    with reading() as c:
        known = state(c)
    assert known and known.connected and known.error == "You are already connected."
    assert known.due_at and 19 * clock.DAY < known.due_at - clock.now() < 21 * clock.DAY
    partners.disconnect_whatsapp()
    connection.check()
    with reading() as c:
        known = state(c)
        assert known and not known.connected
        assert whatsapp_state(c, clock.now()).disconnected_at == known.since


def test_callbacks_move_it_between(office: Office, client: FlaskClient) -> None:
    connection.check()
    for type_, connected in (("DisconnectedCallback", False), ("ConnectedCallback", True)):
        callback = {"type": type_, "momment": 1_700_000_000 + connected}
        client.post("/webhooks/whatsapp/status", json=callback, headers=HEADERS)
        with reading() as c:
            known = state(c)
        assert known is not None and known.connected is connected


def test_a_provider_that_is_away_changes_nothing_but_says_so(
    office: Office, partners: Partners
) -> None:
    connection.check()
    partners.mode("whatsapp", "503")
    connection.check()
    with reading() as c:
        known = state(c)
        assert known and known.connected and "status falhou" in known.check_error
        told = known.checked_at or 0
        assert whatsapp_state(c, told + 2 * clock.MINUTE).connected is True
        silent = whatsapp_state(c, told + 4 * clock.MINUTE)
    assert (silent.connected, silent.status, silent.silent_since) == (None, "unknown", told)
    partners.mode("whatsapp", "ok")
    connection.check()
    with reading() as c:
        assert whatsapp_state(c, clock.now()).status == "connected"


def _kinds(now: int) -> list[str]:
    return [alert.type for alert in alerts(take_snapshot(now)) if "whatsapp" in alert.type]


def test_a_provider_that_never_answered_is_told_of_after_a_while(
    office: Office, client: FlaskClient, login: Any, partners: Partners
) -> None:
    login(client, 1)
    partners.mode("whatsapp", "503")
    began = clock.now()
    for _ in range(2):
        connection.check()
    with reading() as c:
        known = state(c)
        assert known and known.connected is None and "status falhou" in known.check_error
        assert whatsapp_state(c, began + clock.MINUTE) == WhatsApp(None, "unknown")
        silent = whatsapp_state(c, known.since + 4 * clock.MINUTE)
    assert (silent.status, silent.silent_since) == ("unknown", known.since)
    assert _kinds(known.since + 14 * clock.MINUTE) == []
    assert _kinds(known.since + 15 * clock.MINUTE) == ["whatsapp_silent"]
    page = client.get("/whatsapp-connection", headers={"Accept": "text/html"}).text
    assert "nunca respondeu" in page and "Desconectado" not in page
    told = client.get("/whatsapp-connection").get_json()
    assert (told["connected"], told["since"]) == (None, None)
    partners.mode("whatsapp", "ok")
    connection.check()
    assert _kinds(known.since + clock.HOUR) == []
    with reading() as c:
        first = state(c)
    assert first and first.connected is True and first.since > known.since


def test_its_first_word_may_be_a_callback(
    office: Office, client: FlaskClient, partners: Partners
) -> None:
    partners.mode("whatsapp", "503")
    connection.check()
    callback = {"type": "DisconnectedCallback", "momment": 1_700_000_000}
    client.post("/webhooks/whatsapp/status", json=callback, headers=HEADERS)
    connection.check()
    with reading() as c:
        known = state(c)
    assert known and known.connected is False
    assert _kinds(known.since + 16 * clock.MINUTE) == ["whatsapp"]


def test_one_that_is_not_configured_is_not_missed(
    app: Flask, office: Office, partners: Partners, monkeypatch: pytest.MonkeyPatch
) -> None:
    partners.mode("whatsapp", "503")
    connection.check()
    off = app.extensions["settings"].model_copy(update={"zapi_enabled": False})
    monkeypatch.setitem(app.extensions, "settings", off)
    with reading() as c:
        assert whatsapp_state(c, clock.now() + clock.HOUR) == WhatsApp()
    assert _kinds(clock.now() + clock.HOUR) == []


def test_a_phone_that_was_away_stays_away_while_nobody_answers(
    office: Office, partners: Partners
) -> None:
    partners.disconnect_whatsapp()
    connection.check()
    partners.mode("whatsapp", "503")
    connection.check()
    with reading() as c:
        known = whatsapp_state(c, clock.now() + clock.HOUR)
    assert (known.connected, known.silent_since) == (False, None)


@pytest.mark.parametrize(("minutes", "critical"), [(14, False), (16, True)])
def test_away_for_long_is_critical(
    office: Office, partners: Partners, minutes: int, critical: bool
) -> None:
    partners.disconnect_whatsapp()
    connection.check()
    now = clock.now() + minutes * clock.MINUTE
    with reading() as c:
        known = state(c)
    assert known and known.is_critical(now) is critical


@pytest.mark.parametrize(("days", "lapses"), [(4, True), (6, False)])
def test_an_account_that_lapses_warns(office: Office, days: int, lapses: bool) -> None:
    connection.check()
    with transaction() as tx:
        due = clock.now() + days * clock.DAY
        tx.connection.execute(update(WhatsAppState).values(due_at=due))
    with reading() as c:
        known = state(c)
    assert known and known.lapses(clock.now()) is lapses


@pytest.mark.parametrize(
    ("body", "out"),
    [
        ("sair", True),
        (" SAIR!", True),
        ("Parar.", True),
        ("não quero sair hoje", False),
        ("", False),
    ],
)
def test_words_that_ask_for_silence(body: str, out: bool) -> None:
    assert wants_out({"kind": "text", "body": body}) is out
    assert not wants_out({"kind": "image", "body": body})


def test_sair_is_noted_once(office: Office, client: FlaskClient) -> None:
    for n in range(2):
        callback = {
            "type": "ReceivedCallback", "phone": PHONE, "messageId": f"M{n}",
            "text": {"message": "Sair"},
        }  # fmt: skip
        client.post("/webhooks/whatsapp", json=callback, headers=HEADERS)
    assert [row.phone for row in office.rows(OptOut)] == [PHONE]
