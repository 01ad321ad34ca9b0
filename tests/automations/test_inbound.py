"""WhatsApp inbound: lead, interaction and conversation for messages, feedback for buttons."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import clock
from app.access.actor import SYSTEM
from app.automations.rules.flows import FEEDBACK_AFTER
from app.deliveries.actions.dead_letters import retry
from app.events.models import Event
from tests.automations.office import PHONE, Office
from tests.automations.test_service_completed import SERVICE
from tests.partners.client import Partners


def callback(n: int = 1, **values: Any) -> dict[str, Any]:
    """What Z-API sends when somebody writes."""
    return {
        "type": "ReceivedCallback", "instanceId": "INSTANCE", "phone": "551187654321",
        "fromMe": False, "messageId": f"M{n}", "momment": 1_700_000_000_000 + n,
        "senderName": "Helena Souza", "status": "RECEIVED",
        "text": {"message": f"Olá {n}"}, **values,
    }  # fmt: skip


@pytest.fixture
def write(office: Office, client: FlaskClient) -> Any:
    """`write(callback)` posts to the webhook as Z-API does; the id of the event."""

    def post(document: dict[str, Any]) -> int:
        headers = {"z-api-token": "a-token-that-nobody-may-see"}
        answer = client.post("/webhooks/whatsapp", json=document, headers=headers)
        assert (answer.status_code, answer.get_json()) == (200, {"status": "received"})
        return office.newest_event("whatsapp.%")

    return post


def test_somebody_new_writes(office: Office, partners: Partners, write: Any) -> None:
    event = write(callback())
    office.work()
    states = office.steps(event)
    assert {name for name, state in states.items() if state == "skipped"} == {"feedback", "thanks"}
    assert set(states.values()) == {"done", "skipped"}
    (lead,) = partners.rows("crm", "leads")
    assert (lead["phone"], lead["source"], lead["name"]) == (PHONE, "whatsapp", "Helena Souza")
    (interaction,) = partners.rows("crm", "interactions")
    assert (interaction["lead_id"], interaction["message"]) == (str(lead["id"]), "Olá 1")
    (talk,) = partners.rows("atendimento", "conversations")
    assert (talk["phone"], talk["message"]) == (PHONE, "Olá 1")
    (reply,) = office.sent()
    assert reply["message"].startswith("Olá, Helena!")
    told = office.rows(Event, Event.event_type == "lead.created")
    assert [row.source_system for row in told] == ["whatsapp"]
    office.consistent()


def test_three_messages_in_one_second_make_one_lead_and_one_conversation(
    any_database: str, office: Office, partners: Partners, write: Any
) -> None:
    events = [write(callback(n)) for n in (1, 2, 3)]
    office.work()
    assert len(partners.rows("crm", "leads")) == 1
    assert [row["message"] for row in partners.rows("crm", "interactions")] == [
        "Olá 1", "Olá 2", "Olá 3",
    ]  # fmt: skip
    assert len(partners.rows("atendimento", "conversations")) == 1
    assert [row["message"] for row in partners.rows("atendimento", "messages")] == [
        "Olá 2", "Olá 3",
    ]  # fmt: skip
    assert len(office.sent()) == 1
    assert all(office.event_row(event).status == "done" for event in events)
    office.consistent()


def test_a_callback_sent_again_counts_once(office: Office, partners: Partners, write: Any) -> None:
    first = write(callback())
    assert write(callback()) == first
    office.work()
    assert len(partners.rows("crm", "interactions")) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"fromMe": True},
        {"isGroup": True},
        {"type": "PresenceChatCallback"},
        {"isStatusReply": True},
    ],
)
def test_what_nobody_reacts_to_is_kept(
    office: Office, partners: Partners, write: Any, changes: dict[str, Any]
) -> None:
    event = write(callback(**changes))
    office.work()
    assert office.event_row(event).event_type == "whatsapp.ignored"
    assert office.steps(event) == {}
    assert partners.rows("crm", "leads") == office.sent() == []


def test_the_crm_is_away_and_the_conversation_goes_on(
    office: Office, partners: Partners, write: Any
) -> None:
    partners.mode("crm", "503", path_contains="/api/v1/leads")
    events = [write(callback(n)) for n in (1, 2)]
    office.work()
    assert len(partners.rows("atendimento", "conversations")) == 1
    assert len(partners.rows("atendimento", "messages")) == 1
    assert [office.steps(event)["find_lead"] for event in events] == ["failed", "failed"]
    partners.mode("crm", "ok")
    for letter in office.dead_letters():
        retry(letter.id, by=SYSTEM, why="de volta", now=clock.now())
        office.work()
    assert len(partners.rows("crm", "leads")) == 1
    assert len(partners.rows("crm", "interactions")) == 2
    assert all(office.event_row(event).status == "done" for event in events)
    office.consistent()


def button(n: int, **values: Any) -> dict[str, Any]:
    """Somebody presses a button."""
    pressed = {"buttonId": f"rating_{n}", "message": f"{n} estrelas"}
    return callback(100 + n, text=None, buttonsResponseMessage=pressed, **values)


@pytest.mark.parametrize(
    ("stars", "words"), [(5, "Que alegria"), (4, "Que alegria"), (2, "Sentimos")]
)
def test_a_rating_becomes_feedback_and_a_thank_you(
    office: Office, partners: Partners, write: Any, stars: int, words: str
) -> None:
    event = write(button(stars))
    office.work()
    states = office.steps(event)
    assert {name for name, state in states.items() if state == "done"} == {"feedback", "thanks"}
    (told,) = office.rows(Event, Event.event_type == "feedback.received")
    assert told.source_system == "whatsapp"
    assert json.loads(told.payload)["rating"] == stars
    (thanks,) = office.sent()
    assert words in thanks["message"]
    assert partners.rows("crm", "leads") == []


def test_a_rating_names_the_service_that_was_asked_about(office: Office, write: Any) -> None:
    asked = office.receive("service.completed", SERVICE, "operacao")
    office.pass_time(asked, FEEDBACK_AFTER)
    office.work()
    question = office.sent()[-1]
    write(button(3, referenceMessageId=question["messageId"]))
    office.work()
    (told,) = office.rows(Event, Event.event_type == "feedback.received")
    payload = json.loads(told.payload)
    assert (payload["service_id"], payload["caregiver_id"], payload["rating"]) == (9001, 301, 3)


@pytest.mark.usefixtures("any_database")
def test_a_second_press_for_the_same_service_counts_no_second_time(
    office: Office, write: Any
) -> None:
    asked = office.receive("service.completed", SERVICE, "operacao")
    office.pass_time(asked, FEEDBACK_AFTER)
    office.work()
    for stars in (3, 5):
        write(button(stars))
        office.work()
    (told,) = office.rows(Event, Event.event_type == "feedback.received")
    assert json.loads(told.payload)["rating"] == 3


def test_who_writes_sair_gets_no_automatic_message(office: Office, write: Any) -> None:
    write(callback(text={"message": " Sair! "}))
    office.work()
    assert office.sent() == []
