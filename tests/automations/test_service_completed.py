"""Service completed: notice at once, an invoice, and two hours later the question how it was."""

from __future__ import annotations

import json
import re

import pytest
from flask.testing import FlaskClient

from app import clock
from app.automations.rules.flows import FEEDBACK_AFTER
from app.events.models import Event
from tests.automations.office import PHONE, Office
from tests.messages.mailbox import Mailbox
from tests.partners.client import Partners

SERVICE = {
    "id": 9001, "client_id": 5001, "client_name": "Helena Souza", "client_phone": PHONE,
    "client_email": "helena@exemplo.com.br", "caregiver_id": 301, "caregiver_name": "Joana Lima",
    "service_type": "cuidador_diurno", "duration_hours": 8, "is_recurring": False,
    "completed_at": "2026-11-23T20:00:00-03:00", "is_weekend": True, "is_night": False,
}  # fmt: skip
BEFORE = {
    "notice": "done", "ask_on_whatsapp": "held", "ask_by_email": "held", "price": "done",
    "invoice": "done",
}  # fmt: skip
LINK = re.compile(r"http://127\.0\.0\.1/feedback/([\w.-]+)")


@pytest.mark.usefixtures("any_database")
def test_it_works(office: Office, partners: Partners, mailbox: Mailbox) -> None:
    event = office.receive("service.completed", SERVICE, "operacao")
    office.work()
    assert office.steps(event) == BEFORE
    (notice,) = office.sent()
    assert "O atendimento de Joana Lima foi concluído (8 h)" in notice["message"]
    (invoice,) = partners.rows("financeiro", "invoices")
    assert (invoice["operacao_service_id"], invoice["client_id"]) == (9001, 5001)
    item = {"description": "cuidador diurno", "hours": 8, "unit_price": 40.0, "total": 320.0}
    assert invoice["items"] == [item]
    assert office.event_row(event).status == "processing"
    office.pass_time(event, FEEDBACK_AFTER)
    office.work()
    assert set(office.steps(event).values()) == {"done"}
    question = office.sent()[-1]
    assert question["kind"] == "send-button-list"
    buttons = question["buttonList"]["buttons"]
    assert [button["id"] for button in buttons] == [f"rating_{n}" for n in range(1, 6)]
    (mail,) = mailbox.to("helena@exemplo.com.br")
    assert LINK.search(str(mail))
    assert office.event_row(event).status == "done"
    office.consistent()


def test_the_question_is_not_asked_before_its_time(office: Office) -> None:
    event = office.receive("service.completed", SERVICE, "operacao")
    office.pass_time(event, FEEDBACK_AFTER - clock.MINUTE)
    office.turn()
    office.turn()
    assert office.steps(event)["ask_on_whatsapp"] == "held"
    assert len(office.sent()) == 1


def test_a_recurring_service_makes_no_invoice(office: Office, partners: Partners) -> None:
    event = office.receive("service.completed", {**SERVICE, "is_recurring": True}, "operacao")
    office.work()
    assert office.steps(event) == {**BEFORE, "price": "skipped", "invoice": "skipped"}
    assert partners.rows("financeiro", "invoices") == []


@pytest.mark.parametrize("fault", ["503", "lost", "bad_json", "429"])
def test_one_invoice_whatever_financeiro_does(
    office: Office, partners: Partners, fault: str
) -> None:
    partners.mode("financeiro", fault, times=2, path_contains="/api/invoices", retry_after="0")
    event = office.receive("service.completed", SERVICE, "operacao")
    office.work()
    assert office.steps(event) == BEFORE
    assert len(partners.rows("financeiro", "invoices")) == 1


def test_a_second_event_of_the_service_makes_no_second_invoice(
    office: Office, partners: Partners
) -> None:
    for hours in (8, 9):
        office.receive("service.completed", {**SERVICE, "duration_hours": hours}, "operacao")
        office.work()
    assert len(partners.rows("financeiro", "invoices")) == len(office.sent()) == 1


def test_a_worker_that_dies_after_the_invoice_makes_no_second_one(
    office: Office, partners: Partners
) -> None:
    event = office.receive("service.completed", SERVICE, "operacao")
    office.die_after("/api/invoices")
    office.work()
    assert office.steps(event) == BEFORE
    assert len(partners.book("financeiro", path="/api/invoices", method="POST")) == 2
    assert len(partners.rows("financeiro", "invoices")) == 1


@pytest.mark.usefixtures("any_database")
def test_feedback_that_came_by_itself_cancels_the_question(
    office: Office, mailbox: Mailbox
) -> None:
    event = office.receive("service.completed", SERVICE, "operacao")
    office.work()
    office.receive("feedback.received", {"service_id": 9001, "rating": 5}, "cuidadores")
    office.pass_time(event, FEEDBACK_AFTER)
    office.work()
    assert office.step(event, "ask_on_whatsapp").note == "a avaliação já chegou"
    assert office.steps(event)["ask_by_email"] == "skipped"
    assert mailbox.mails == []
    assert len(office.sent()) == 1
    assert office.event_row(event).status == "done"
    office.consistent()


@pytest.mark.usefixtures("any_database")
def test_the_link_of_the_mail_becomes_feedback(
    office: Office, mailbox: Mailbox, client: FlaskClient
) -> None:
    event = office.receive("service.completed", SERVICE, "operacao")
    office.pass_time(event, FEEDBACK_AFTER)
    office.work()
    found = LINK.search(mailbox.mails[0].get_body(("plain",)).get_content())  # type: ignore[union-attr]
    assert found
    path = f"/feedback/{found[1]}"
    assert "Helena" in client.get(path).text
    answer = client.post(path, data={"rating": "4", "comment": "Muito  bom"})
    assert answer.status_code == 200
    office.work()
    (row,) = office.rows(Event, Event.event_type == "feedback.received")
    told = json.loads(row.payload)
    assert (told["service_id"], told["caregiver_id"], told["client_id"]) == (9001, 301, 5001)
    assert (told["rating"], told["comment"], told["channel"]) == (4, "Muito bom", "email")
    assert client.post(path, data={"rating": "1"}).status_code == 410


def test_two_hours_are_kept_in_the_database(office: Office) -> None:
    """A restart has nothing but the rows: another engine goes on."""
    event = office.receive("service.completed", SERVICE, "operacao")
    office.work()
    office.restart()
    office.pass_time(event, FEEDBACK_AFTER)
    office.work()
    assert office.steps(event)["ask_on_whatsapp"] == "done"
