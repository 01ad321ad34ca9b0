"""The pages of messages: the masked list, one with its ticks, templates, silence, opt-outs."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import clock
from app.access.models import AuditEntry
from app.db import reading
from app.messages.models import Message, MessageTemplate, OptOut
from app.messages.queries import texts
from app.messages.rules.log import address_of, words_in
from tests.automations.office import PHONE, Office

HTML = {"Accept": "text/html"}
TOKEN = {"z-api-token": "a-token-that-nobody-may-see"}
WELCOME = "/messages/templates/welcome/email"


@pytest.fixture
def talk(office: Office, client: FlaskClient) -> None:
    """A lead that got its answer and read it, and a message of a person."""
    office.receive("lead.created", {"phone": PHONE, "name": "Helena"})
    office.work()
    (sent,) = office.sent()
    tick = {"type": "MessageStatusCallback", "ids": [sent["messageId"]], "status": "READ"}
    client.post("/webhooks/whatsapp/status", json={**tick, "phone": PHONE}, headers=TOKEN)
    wrote = {"type": "ReceivedCallback", "messageId": "X", "phone": PHONE, "fromMe": False}
    wrote |= {"momment": clock.now(), "text": {"message": "Vocês atendem no sábado?"}}
    client.post("/webhooks/whatsapp", json=wrote, headers=TOKEN)


def test_the_list_is_masked_and_narrowed(
    office: Office, talk: None, client: FlaskClient, login: Any
) -> None:
    login(client, 1)
    page = client.get("/messages", headers=HTML)
    assert page.status_code == 200
    assert "+55 11 9****-4321" in page.text and PHONE not in page.text
    assert "Lida (✓✓)" in page.text and "Veio da pessoa" in page.text
    found = {
        query: len(client.get(f"/messages?{query}").get_json()["data"])
        for query in (
            "state=lida", "state=entrada", "state=erro", "template=auto_reply", "template=welcome",
            "q=(11)+98765-4321", "q=11911112222", "q=nonsense",
        )
    }  # fmt: skip
    assert list(found.values()) == [1, 1, 0, 1, 0, 2, 0, 0]


def test_the_list_goes_on_by_key(
    office: Office, talk: None, client: FlaskClient, login: Any
) -> None:
    login(client, 1)
    first = client.get("/messages?per_page=1").get_json()
    assert first["meta"]["total"] == 2
    second = client.get(first["meta"]["next"]).get_json()
    assert [row["direction"] for row in first["data"] + second["data"]] == ["in", "out"]


def test_newer_messages_wait_until_asked_for(
    office: Office, talk: None, client: FlaskClient, login: Any
) -> None:
    login(client, 1)
    (live,) = re.findall(r'hx-get="([^"]*upto=[^"]*)"', client.get("/messages", headers=HTML).text)
    wrote = {"type": "ReceivedCallback", "messageId": "Y", "phone": PHONE, "fromMe": False}
    client.post("/webhooks/whatsapp", json={**wrote, "text": {"message": "Oi"}}, headers=TOKEN)
    part = client.get(unescape(live), headers={**HTML, "HX-Request": "true"}).text
    assert "1 nova – mostrar" in part
    assert part.count('<tr id="message-') == 2
    (shown,) = re.findall(r'id="newer" href="([^"]*)"', part)
    assert client.get(shown, headers=HTML).text.count('<tr id="message-') == 3


def test_one_message_is_whole_and_the_look_is_audited_once(
    office: Office, talk: None, client: FlaskClient, login: Any
) -> None:
    login(client, 1)
    (kept,) = office.rows(Message, Message.direction == "out")
    for _ in range(2):
        page = client.get(f"/messages/{kept.id}", headers=HTML)
    assert "Olá, Helena!" in page.text and PHONE in page.text and "Lida ✓✓" in page.text
    (look,) = office.rows(AuditEntry, AuditEntry.action == "personal_data.seen")
    assert (look.target, look.actor_name) == (f"message:{kept.id}", "Ana")
    assert client.get("/messages/999").status_code == 404


def test_a_template_is_previewed_and_saved_as_a_new_version(
    office: Office, client: FlaskClient, login: Any
) -> None:
    login(client, 2)
    draft = {"subject": "Oi, {nome}", "text": "Bem-vinda, {nome}!", "html": "<b>{nome}</b>"}
    seen = client.post(WELCOME, headers=HTML, data={**draft, "do": "preview"})
    assert "Bem-vinda, Helena!" in seen.text
    mail = client.post(WELCOME, headers=HTML, data={**draft, "do": "mail"})
    assert mail.text == "<b>Helena</b>"
    assert mail.headers["Content-Security-Policy"].startswith("sandbox;")
    assert len(office.rows(MessageTemplate, MessageTemplate.key == "welcome")) == 2
    saved = client.post(WELCOME, headers=HTML, data={**draft, "why": "tom mais próximo"})
    assert saved.status_code == 303
    with reading() as c:
        assert texts.newest(c, "welcome", "email").version == 2
    shown = client.get(WELCOME, headers=HTML).text
    assert "Versão 2" in shown and "Versão 1" in shown
    (entry,) = office.rows(AuditEntry, AuditEntry.action == "template.saved")
    assert entry.why == "tom mais próximo"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"text": "Olá {ninguem}"}, "{ninguem} não existe aqui"),
        ({"text": ""}, "o texto é obrigatório"),
        ({"why": ""}, "escreva o motivo"),
    ],
)
def test_a_template_that_is_wrong_is_shown_with_its_faults(
    office: Office, client: FlaskClient, login: Any, changes: dict[str, str], field: str
) -> None:
    login(client, 2)
    draft = {"subject": "Oi", "text": "Olá", "html": "", "why": "x", **changes}
    answer = client.post(WELCOME, headers=HTML, data=draft)
    assert answer.status_code == 422 and field in answer.text
    assert len(office.rows(MessageTemplate, MessageTemplate.key == "welcome")) == 2


def test_quiet_hours_are_data(office: Office, client: FlaskClient, login: Any) -> None:
    login(client, 2)
    hours = {"starts": "22:00", "ends": "07:30", "why": "combinado com a equipe"}
    assert client.post("/messages/quiet-hours", headers=HTML, data=hours).status_code == 303
    with reading() as c:
        assert texts.quiet_hours(c) == ("22:00", "07:30")
    (entry,) = office.rows(
        AuditEntry, AuditEntry.action == "quiet_hours.set", AuditEntry.why.is_not(None)
    )
    assert json.loads(entry.before_json) == {"starts": "00:00", "ends": "00:00"}
    for wrong in ({**hours, "starts": "25:00"}, {**hours, "why": ""}):
        assert client.post("/messages/quiet-hours", headers=HTML, data=wrong).status_code == 422


def test_who_wants_no_messages_is_listed_added_and_taken_out(
    office: Office, client: FlaskClient, login: Any
) -> None:
    login(client, 1)
    form = {"phone": "(11) 98765-4321", "why": "pediu por telefone"}
    assert client.post("/messages/opt-outs", headers=HTML, data=form).status_code == 303
    page = client.get("/messages/opt-outs", headers=HTML).text
    assert "+55 11 9****-4321" in page and PHONE not in page
    (row,) = office.rows(OptOut)
    back = f"/messages/opt-outs/{row.at}/4321/remove"
    assert client.post(back, headers=HTML, data={}).status_code == 200
    assert office.rows(OptOut) != []
    why = {"confirmed": "1", "why": "voltou a querer"}
    assert client.post(back, headers=HTML, data=why).status_code == 303
    assert office.rows(OptOut) == []
    assert client.post(back, headers=HTML, data=why).status_code == 404
    for wrong in ({"phone": "123", "why": "x"}, {"phone": PHONE, "why": ""}):
        assert client.post("/messages/opt-outs", headers=HTML, data=wrong).status_code == 422


@pytest.mark.parametrize("path", ["/messages/quiet-hours", WELCOME])
def test_operation_may_look_but_not_change(
    office: Office, client: FlaskClient, login: Any, path: str
) -> None:
    login(client, 1)
    assert client.post(path, headers=HTML, data={}).status_code == 403
    assert "Você não pode" in client.get("/messages/templates", headers=HTML).text


@pytest.mark.parametrize(
    ("channel", "direction", "stored", "words"),
    [
        ("whatsapp", "in", b'{"body": "Oi"}', "Oi"),
        ("whatsapp", "in", b'{"body": "", "kind": "image"}', "image"),
        ("email", "out", b'{"subject": "A", "text": "B"}', "A\n\nB"),
        ("whatsapp", "out", b'{"json": {"message": "Oi"}}', "Oi"),
        (
            "whatsapp", "out",
            b'{"json": {"message": "Nota?", "buttonList": {"buttons": [{"label": "1"}]}}}',
            "Nota?\n[ 1 ]",
        ),
        ("whatsapp", "out", b"[apagado]", ""),
        ("whatsapp", "out", b'"[apagado]"', ""),
        ("whatsapp", "out", b'{"json": "[apagado]"}', ""),
    ],
)  # fmt: skip
def test_words_of_what_is_stored(channel: str, direction: str, stored: bytes, words: str) -> None:
    assert words_in(channel, direction, stored) == words


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("(11) 98765-4321", PHONE), ("Ana@Exemplo.com.br", "ana@exemplo.com.br"), ("x", "?")],
)
def test_what_is_typed_is_looked_for_as_it_is_kept(typed: str, kept: str) -> None:
    assert address_of(typed) == kept


def test_the_terminal_lists_and_changes_the_same(office: Office, talk: None) -> None:
    run = office.app.test_cli_runner().invoke
    listed = json.loads(run(args=["messages", "list", "--phone", PHONE, "--json"]).stdout)
    assert [one["state"] for one in listed] == ["entrada", "lida"]
    assert PHONE not in run(args=["messages", "list"]).output
    assert run(args=["messages", "opt-out", PHONE, "--why", "pediu"]).exit_code == 0
    assert len(office.rows(OptOut)) == 1
    assert run(args=["messages", "opt-in", PHONE, "--why", "voltou"]).exit_code == 0
    assert run(args=["messages", "opt-in", PHONE, "--why", "voltou"]).exit_code == 1
    assert run(args=["messages", "quiet-hours", "22:00", "07:00", "--why", "x"]).exit_code == 0
    assert "HH:MM" in run(args=["messages", "quiet-hours", "9", "7:00", "--why", "x"]).output
    assert run(args=["messages", "opt-out", PHONE]).exit_code == 2
