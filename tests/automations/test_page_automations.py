"""The page of the automations: steps in words, the switch with its reason, one step again."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.access.models import AuditEntry
from app.automations.models import Automation
from tests.automations.office import PHONE, Office
from tests.partners.client import Partners

HTML = {"Accept": "text/html"}
URL = "/automations"
LEAD = {"phone": PHONE, "utm_campaign": "cuidado-em-casa"}


def test_it_shows_steps_in_words_and_the_last_runs(
    office: Office, client: FlaskClient, login: Any
) -> None:
    event = office.receive("lead.created", LEAD)
    office.work()
    login(client, 1)
    page = client.get(URL, headers=HTML)
    assert page.status_code == 200
    assert "depois de “Procurar o lead no CRM”" in page.text
    assert "2 horas depois do evento" in page.text
    assert f"Evento {event}" in page.text
    new_lead = client.get(URL).get_json()["data"][0]
    assert (new_lead["name"], new_lead["active"]) == ("new_lead", True)
    assert new_lead["last_runs"][0]["steps"] == {"done": 5}


def test_it_is_switched_off_and_on_with_a_reason(
    office: Office, client: FlaskClient, login: Any
) -> None:
    login(client, 2)
    asked = client.post(f"{URL}/new_lead/off", headers=HTML, data={})
    assert (asked.status_code, "Desligar: Novo lead?" in asked.text) == (200, True)
    without = client.post(f"{URL}/new_lead/off", headers=HTML, data={"confirmed": "1"})
    assert without.status_code == 422
    form = {"confirmed": "1", "why": "CRM em troca"}
    assert client.post(f"{URL}/new_lead/off", headers=HTML, data=form).status_code == 303
    assert office.steps(office.receive("lead.created", LEAD)) == {}
    (entry,) = office.rows(AuditEntry, AuditEntry.action == "automation.off")
    assert (entry.target, entry.why) == ("new_lead", "CRM em troca")
    assert client.post(f"{URL}/new_lead/on", headers=HTML, data=form).status_code == 303
    (row,) = office.rows(Automation, Automation.name == "new_lead")
    assert (row.active, row.changed_by) == (True, "Davi")
    assert office.steps(office.receive("lead.created", LEAD)) != {}


@pytest.mark.parametrize(
    ("level", "path", "data", "status"),
    [
        (1, "/new_lead/off", {"why": "x"}, 403),
        (2, "/nothing/off", {"why": "x"}, 404),
        (2, "/new_lead/off", {"why": " "}, 422),
        (2, "/new_lead/half", {"why": "x"}, 404),
        (1, "/events/99/steps/find_lead/retry", {}, 404),
    ],
)
def test_refusals(
    office: Office, client: FlaskClient, login: Any, level: int, path: str,
    data: dict[str, str], status: int,
) -> None:  # fmt: skip
    login(client, level)
    assert client.post(f"{URL}{path}", data=data).status_code == status


def test_one_step_is_sent_again_alone_from_the_events_page(
    office: Office, client: FlaskClient, login: Any, partners: Partners
) -> None:
    partners.mode("marketing", "503", path_contains="attribution")
    event = office.receive("lead.created", LEAD)
    office.work()
    login(client, 1)
    shown = client.get(f"/events/{event}", headers=HTML).text
    assert "Repetir só este passo" in shown
    assert "lead 1001 no CRM" in shown and "campanha 1 no Marketing" in shown
    partners.mode("marketing", "ok")
    again = f"{URL}/events/{event}/steps/attribution/retry"
    assert client.post(again, headers=HTML, data={}).status_code == 303
    office.work()
    assert set(office.steps(event).values()) == {"done"}
    assert len(office.sent()) == len(partners.rows("crm", "leads")) == 1
    assert client.post(again).status_code == 409
    office.consistent()


def test_a_leads_trail_is_one_page(office: Office, client: FlaskClient, login: Any) -> None:
    event = office.receive("lead.created", {**LEAD, "name": "Helena Souza"})
    office.work()
    (sent,) = office.sent()
    proof = {"z-api-token": "a-token-that-nobody-may-see"}
    for status in ("RECEIVED", "READ"):
        told = {"type": "MessageStatusCallback", "status": status, "ids": [sent["messageId"]]}
        client.post("/webhooks/whatsapp/status", json=told, headers=proof)
    login(client, 2)
    page = client.get(f"/events/{event}", headers=HTML).text
    trail = page[page.index("Passos automáticos: Novo lead") : page.index("Caminho pelo hub")]
    for found in ("lead 1001 no CRM", "Olá, Helena! Aqui é da", "Lida (✓✓)", "campanha 1 no"):
        assert found in trail
    assert trail.index("enviada") < trail.index("recebida") < trail.index("lida <")
    # Steps that are deliveries stand there, and only there.
    ways = page[page.index("Destinos") :]
    assert "Responder no WhatsApp" not in ways
    step = client.get(f"/events/{event}").get_json()["data"]["steps"][2]
    assert (step["name"], step["message_state"]) == ("auto_reply", "lida")


def test_a_step_that_could_not_be_prepared_is_prepared_anew(
    office: Office, client: FlaskClient, login: Any
) -> None:
    office.without_templates()
    event = office.receive("lead.created", {"phone": PHONE})
    office.work()
    assert office.step(event, "auto_reply").state == "failed"
    office.with_templates()
    login(client, 1)
    again = client.post(f"{URL}/events/{event}/steps/auto_reply/retry")
    assert again.status_code == 200
    office.work()
    assert office.step(event, "auto_reply").state == "done"
    assert len(office.sent()) == 1
    office.consistent()


def test_the_terminal_lists_and_switches_the_same(office: Office) -> None:
    run = office.app.test_cli_runner().invoke
    assert "Procurar o lead no CRM (assim que o evento chega)" in run(
        args=["automations", "list"]
    ).output  # fmt: skip
    assert run(args=["automations", "switch", "new_lead", "off", "--why", "x"]).exit_code == 0
    listed = json.loads(run(args=["automations", "list", "--json"]).stdout)
    assert [one["active"] for one in listed] == [False, True, True, True]
    assert run(args=["automations", "switch", "nothing", "off", "--why", "x"]).exit_code == 1
