"""Client registered: welcomed by both ways, known to the CRM and Financeiro, once."""

from __future__ import annotations

import pytest

from app import clock
from app.access.actor import SYSTEM
from app.deliveries.actions.dead_letters import retry
from app.deliveries.models import Attempt
from app.messages.actions.texts import set_quiet_hours
from app.queues import NOTIFICATIONS
from tests.automations.office import PHONE, Office
from tests.deliveries.drains import until
from tests.messages.mailbox import Mailbox
from tests.partners.client import Partners

CLIENT = {
    "id": 5001, "name": "Marcos Lima", "email": "marcos@exemplo.com.br", "phone": PHONE,
    "cpf": "52998224725", "service_type": "cuidador_diurno", "estimated_value": 3200.0,
}  # fmt: skip
STEPS = ("welcome_email", "welcome_whatsapp", "advance_lead", "open_deal", "billing_client")
ALL_DONE = dict.fromkeys(STEPS, "done")


@pytest.fixture
def client_row(office: Office, partners: Partners) -> dict[str, object]:
    """A client whose lead the CRM knows."""
    office.receive("lead.created", {"phone": PHONE, "name": "Marcos Lima"})
    office.work()
    (lead,) = partners.rows("crm", "leads")
    partners.clear("whatsapp")
    return {**CLIENT, "lead_id": lead["id"]}


def test_it_works(
    office: Office, partners: Partners, mailbox: Mailbox, client_row: dict[str, object]
) -> None:
    event = office.receive("client.registered", client_row, "crm")
    office.work()
    assert office.steps(event) == ALL_DONE
    (mail,) = mailbox.to("marcos@exemplo.com.br")
    assert mail["Subject"] == "Boas-vindas à Carinho com Você"
    assert mail["From"] == "Carinho com Você <contato@carinho.com.vc>"
    text, html = (mail.get_body((kind,)) for kind in ("plain", "html"))
    assert text and html and "Olá, Marcos!" in text.get_content() + html.get_content()
    assert office.sent()[-1]["message"].startswith("Olá, Marcos! Seja muito bem-vindo")
    assert partners.rows("crm", "leads")[0]["stage"] == "contacted"
    (deal,) = partners.rows("crm", "deals")
    assert (deal["client_id"], deal["value"]) == (5001, 3200.0)
    (client,) = partners.rows("financeiro", "clients")
    assert (client["crm_client_id"], client["cpf"]) == (5001, "52998224725")
    assert office.event_row(event).status == "done"
    office.consistent()


@pytest.mark.usefixtures("any_database")
def test_told_twice_is_done_once(
    office: Office, partners: Partners, mailbox: Mailbox, client_row: dict[str, object]
) -> None:
    office.receive("client.registered", client_row, "crm")
    office.work()
    again = office.receive("client.registered", {**client_row, "estimated_value": 1}, "crm")
    office.work()
    assert office.step(again, "welcome_email").note == "já foi feito por outro evento"
    assert len(mailbox.mails) == 1
    assert len(partners.rows("financeiro", "clients")) == 1
    assert len(partners.rows("crm", "deals")) == 1
    assert partners.rows("crm", "leads")[0]["stage"] == "contacted"
    assert len(office.sent()) == 2
    office.consistent()


def test_without_a_lead_the_crm_is_left_alone(office: Office, partners: Partners) -> None:
    event = office.receive("client.registered", CLIENT, "crm")
    office.work()
    assert office.steps(event) == {**ALL_DONE, "advance_lead": "skipped", "open_deal": "skipped"}
    assert partners.rows("crm", "deals") == []


@pytest.mark.usefixtures("any_database")
def test_at_night_the_welcome_waits_and_the_event_with_it(office: Office) -> None:
    _quiet_now(office)
    event = office.receive("client.registered", CLIENT, "crm")
    office.work()
    step = office.step(event, "welcome_whatsapp")
    assert step.state == "held"
    assert clock.now() < step.due_at <= clock.now() + 3 * clock.HOUR
    assert office.sent() == []
    assert office.event_row(event).status == "processing"
    set_quiet_hours("00:00", "00:00", by=SYSTEM)
    office.pass_time(event, 3 * clock.HOUR)
    office.work()
    assert office.steps(event)["welcome_whatsapp"] == "done"
    assert len(office.sent()) == 1
    assert office.event_row(event).status == "done"
    office.consistent()


def test_what_is_urgent_leaves_at_night_too(office: Office) -> None:
    _quiet_now(office)
    office.receive("lead.created", {"phone": PHONE})
    office.work()
    assert len(office.sent()) == 1


def _quiet_now(office: Office) -> None:
    """Quiet from an hour ago until in two hours."""
    now = clock.to_datetime(clock.now(), office.settings.zone)
    starts, ends = f"{(now.hour - 1) % 24:02}:00", f"{(now.hour + 2) % 24:02}:00"
    set_quiet_hours(starts, ends, by=SYSTEM)


def test_a_mail_server_that_refuses_stops_nobody_else(office: Office, mailbox: Mailbox) -> None:
    mailbox.refuse = "550 no such user"
    event = office.receive("client.registered", CLIENT, "crm")
    office.work()
    assert office.steps(event)["welcome_email"] == "failed"
    assert office.steps(event)["welcome_whatsapp"] == "done"
    (letter,) = office.dead_letters()
    assert (letter.system, letter.error_class, letter.attempts) == ("email", "bad_address", 1)
    mailbox.refuse = ""
    retry(letter.id, by=SYSTEM, why="corrigido", now=clock.now())
    office.work()
    assert len(mailbox.mails) == 1
    assert office.event_row(event).status == "done"
    office.consistent()


def test_a_mail_server_that_asks_for_patience_is_asked_again(
    office: Office, mailbox: Mailbox
) -> None:
    mailbox.refuse_data = "451 try later"
    event = office.receive("client.registered", CLIENT, "crm")
    until(
        office.engine,
        lambda: office.rows(Attempt, Attempt.error_class == "mail_later"),
        NOTIFICATIONS,
    )
    mailbox.refuse_data = ""
    office.work()
    row = next(row for row in office.of_event(event) if row.kind == "email")
    outcomes = [one.error_class for one in office.attempts(row.id)]
    assert outcomes[0] == "mail_later" and outcomes[-1] == ""
    assert len(mailbox.mails) == 1
