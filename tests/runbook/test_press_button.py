"""What the buttons of a procedure do: the watch after a reset, the phone's code, purge, archive."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import clock
from app.access.models import AuditEntry
from app.messages.actions import connection
from app.messages.zapi import zapi
from app.runbook.models.procedures import ProcedureStep
from app.runbook.queries.procedures.phone import QR_MS
from app.runbook.rules.procedures.connections import WATCH_MS
from app.systems.rules.breaker import CLOSED, OPEN
from tests.deliveries.hub import Hub, tried
from tests.pages import BROWSER, get, text_of
from tests.partners.client import Partners
from tests.runbook.conftest import Time
from tests.runbook.test_run_procedure import start

PHONE = "11987654321"


@pytest.fixture
def environ(partners: Partners) -> dict[str, str]:
    instance = {
        "ZAPI_INSTANCE_ID": "I1",
        "ZAPI_TOKEN": "token-of-instance",
        "ZAPI_CLIENT_TOKEN": "token-of-client",
    }
    return {**partners.environment(), **instance, "HUB_ALLOWED_NETWORKS": "127.0.0.0/8"}


@pytest.fixture
def hub(app: Any, app_context: None) -> Hub:
    return Hub(app)


@pytest.fixture
def davi(client: FlaskClient, login: Callable[..., Any], hub: Hub) -> FlaskClient:
    login(client, 2)
    return client


def press(client: FlaskClient, run: str, deed: str, **fields: str) -> str:
    """Press a button of a run, confirmed; the words of the page that follows."""
    form = {"confirmed": "1", **fields}
    answer = client.post(f"{run}/acoes/{deed}", data=form, headers=BROWSER)
    assert answer.status_code == 303, answer.text
    return text_of(get(client, answer.location))


def audited(hub: Hub, action: str) -> list[Any]:
    return hub.rows(AuditEntry, AuditEntry.action == action)


def kept(hub: Hub) -> Any:
    """What the last deed's entry keeps as its evidence."""
    return json.loads(hub.rows(ProcedureStep)[-1].evidence_json)


def post(client: FlaskClient, run: str, deed: str, how: str, fields: dict[str, Any]) -> Any:
    url, form = f"{run}/acoes/{deed}", {"confirmed": "1", "why": "voltou", **fields}
    return client.post(url, json=form) if how == "json" else client.post(url, data=form)


@pytest.mark.parametrize("how", ["form", "json"])
def test_only_what_the_step_declares_is_kept(davi: FlaskClient, hub: Hub, how: str) -> None:
    hub.breaker(state=OPEN, failures=5, opened_at=clock.now())
    run = start(davi, "breaker", subject="crm")
    made_up = {"big": "x" * 200_000, "ok": "false", "text": "tudo certo", "cause": "y" * 1_000}
    fields = {"system": "crm", "step": "reset", **made_up}
    assert post(davi, run, "breaker_reset", how, fields).status_code == 200
    evidence = kept(hub)
    assert evidence.keys() <= {"system", "ok", "text"}
    assert (evidence["system"], evidence["text"]) == ("crm", "")


@pytest.mark.parametrize(
    ("deed", "name", "value"),
    [
        ("breaker_reset", "system", "x" * 81),
        ("probe", "system", "x" * 200_000),
        ("whatsapp_phone", "phone", "1" * 81),
        ("dlq_archive", "cause", "c" * 81),
        ("dlq_cancel", "bulk", "²"),
        ("dlq_cancel", "bulk", "9" * 81),
        ("sync_run", "sync", "s" * 81),
        ("workers_add", "line", "l" * 81),
        ("workers_add", "count", "٣"),
        ("restore", "name", "n" * 81),
    ],
)
@pytest.mark.parametrize("how", ["form", "json"])
def test_a_field_that_is_none_is_named(
    davi: FlaskClient, hub: Hub, deed: str, name: str, value: str, how: str
) -> None:
    run = start(davi, "breaker", subject="crm")
    answer = post(davi, run, deed, how, {name: value})
    assert (answer.status_code, list(answer.get_json()["details"])) == (422, [name])
    assert hub.rows(ProcedureStep) == []


@pytest.mark.parametrize("value", [["crm"], {"a": 1}, None, True, 1.5])
def test_a_field_of_another_kind_is_named(davi: FlaskClient, value: Any) -> None:
    run = start(davi, "breaker", subject="crm")
    answer = post(davi, run, "probe", "json", {"system": value})
    assert (answer.status_code, list(answer.get_json()["details"])) == (422, ["system"])


def test_the_question_carries_only_what_the_step_declares(davi: FlaskClient, hub: Hub) -> None:
    run = start(davi, "breaker", subject="crm")
    form = {"system": "crm", "step": "reset", "made_up": "x" * 5_000}
    page = davi.post(f"{run}/acoes/breaker_reset", data=form, headers=BROWSER).text
    assert 'name="system" value="crm"' in page and "made_up" not in page


def test_the_watch_takes_five_minutes(time: Time, davi: FlaskClient, hub: Hub) -> None:
    hub.breaker(state=OPEN, failures=5, opened_at=clock.now())
    run = start(davi, "breaker", subject="crm")
    press(davi, run, "breaker_reset", system="crm", step="reset", why="voltou")
    assert "faltam 5 min" in text_of(get(davi, run))
    time.now += WATCH_MS - clock.SECOND
    assert "Cinco minutos sem reabrir." not in text_of(get(davi, run))
    time.now += clock.SECOND
    assert "Cinco minutos sem reabrir." in text_of(get(davi, run))


def test_a_reopening_during_the_watch_is_said_loudly(
    time: Time, davi: FlaskClient, hub: Hub
) -> None:
    hub.breaker(state=OPEN, failures=5, opened_at=clock.now())
    run = start(davi, "breaker", subject="crm")
    press(davi, run, "breaker_reset", system="crm", step="reset", why="voltou")
    time.now += clock.MINUTE
    hub.breaker(state=OPEN, failures=5, opened_at=clock.now())
    page = get(davi, f"{run}?passo=watch")
    assert "REABRIU depois de religado" in text_of(page)
    assert "não religue de novo em seguida" in text_of(page)
    assert re.search(r'id="loud-watch" role="alert".*?<strong>REABRIU', page, re.DOTALL)
    time.now += WATCH_MS
    assert "Cinco minutos sem reabrir." not in text_of(get(davi, run))
    hub.breaker(state=CLOSED, failures=0, opened_at=None)


def test_a_code_for_the_phone_is_shown_once_and_kept_nowhere(
    davi: FlaskClient, hub: Hub, partners: Partners
) -> None:
    partners.disconnect_whatsapp(restorable=False)
    run = start(davi, "whatsapp_disconnected")
    said = press(davi, run, "whatsapp_phone", step="qr", phone=PHONE)
    (code,) = re.findall(r"Digite no celular: (\S+)", said)
    assert len(code) >= 8
    assert code not in get(davi, run)
    assert all(code not in str(row) for row in hub.rows(ProcedureStep))
    assert len(audited(hub, "whatsapp.phone_code")) == 1


def test_a_provider_that_never_answered_is_not_called_disconnected(
    davi: FlaskClient, partners: Partners
) -> None:
    partners.mode("whatsapp", "503")
    run = start(davi, "whatsapp_disconnected")
    said = press(davi, run, "whatsapp_check", step="status")
    assert "A Z-API não disse a situação: " in said and "a Z-API nunca respondeu" in said
    assert "não está configurado" not in said


def test_a_code_is_renewed_twice_while_somebody_looks(
    time: Time, davi: FlaskClient, hub: Hub, partners: Partners
) -> None:
    """However many look at once; then it is said that nobody read one."""
    partners.disconnect_whatsapp(restorable=False)
    connection.check()
    run = start(davi, "whatsapp_disconnected")
    # Before anybody tried to restore the session: the step that was asked for stays open.
    assert 'name="stay" value="1"' in get(davi, f"{run}?passo=qr")
    shown = {"step": "qr", "stay": "1"}
    assert "Código 1 de 3" in press(davi, run, "whatsapp_qr", **shown)
    for number in (2, 3):
        time.now += QR_MS + clock.SECOND
        told = [text_of(get(davi, f"{run}?passo=qr")) for _ in range(2)]
        assert all(f"Código {number} de 3" in page for page in told)
    time.now += QR_MS + clock.SECOND
    assert "Os códigos venceram sem leitura." in text_of(get(davi, f"{run}?passo=qr"))
    assert "Código 1 de 3" in press(davi, run, "whatsapp_qr", **shown)


def test_what_waits_at_the_provider_is_dropped_with_a_reason(
    davi: FlaskClient, hub: Hub, partners: Partners
) -> None:
    partners.disconnect_whatsapp(restorable=False)
    connection.check()
    zapi().send("send-text", {"phone": f"55{PHONE}", "message": "Olá, Maria"})
    run = start(davi, "whatsapp_disconnected")
    assert "Esperando na Z-API 1: saem ao reconectar" in text_of(get(davi, run))
    listed = text_of(get(davi, f"{run}?passo=provider"))
    assert "Olá, Maria" in listed
    assert PHONE not in listed
    url = f"{run}/acoes/whatsapp_purge"
    asked = davi.post(url, data={"step": "provider"}, headers=BROWSER)
    assert "nunca chegam aos clientes" in asked.text
    assert davi.post(url, data={"step": "provider", "confirmed": "1"}).status_code == 422
    assert audited(hub, "whatsapp.purged") == []
    said = press(davi, run, "whatsapp_purge", step="provider", why="mensagens de ontem")
    assert "Fila da Z-API apagada." in said
    assert "A Z-API não tem nada esperando." in text_of(get(davi, f"{run}?passo=provider"))
    assert [row.why for row in audited(hub, "whatsapp.purged")] == ["mensagens de ontem"]


def test_a_cause_is_archived_whole(davi: FlaskClient, hub: Hub) -> None:
    hub.deliveries(count=3)
    hub.record(*(tried(row, 422) for row in hub.claim(crm=3).rows))
    (cause,) = {row.cause for row in hub.dead_letters()}
    run = start(davi, "dlq")
    said = press(davi, run, "dlq_archive", step="decide", cause=cause, why="sistema desligado")
    assert "(3)" in said


def test_workers_restart_only_under_a_supervisor(davi: FlaskClient, hub: Hub) -> None:
    run = start(davi, "queue_large")
    form = {"step": "restart", "confirmed": "1", "why": "parados"}
    answer = davi.post(f"{run}/acoes/workers_restart", data=form, headers=BROWSER)
    assert answer.status_code == 503
    assert "supervisor" in answer.text
