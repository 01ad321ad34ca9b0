"""New lead: found or made once in the CRM, answered on WhatsApp, attributed to its campaign."""

from __future__ import annotations

import json

import pytest

from app import clock
from app.access.actor import SYSTEM
from app.deliveries.actions.dead_letters import retry
from app.messages.actions.texts import opt_out_by_hand
from tests.automations.office import PHONE, Office
from tests.partners.client import Partners

LEAD = {
    "name": "Helena Souza", "phone": "(11) 98765-4321", "email": "helena@exemplo.com.br",
    "message": "Preciso de uma cuidadora", "utm_source": "google", "utm_medium": "cpc",
    "utm_campaign": "cuidado-em-casa", "page_url": "https://carinho.com.vc/contato",
}  # fmt: skip
ALL_DONE = dict.fromkeys(
    ("find_lead", "save_lead", "auto_reply", "find_campaign", "attribution"), "done"
)


@pytest.mark.usefixtures("any_database")
def test_it_works(office: Office, partners: Partners) -> None:
    event = office.receive("lead.created", LEAD)
    office.work()
    assert office.steps(event) == ALL_DONE
    (lead,) = partners.rows("crm", "leads")
    assert (lead["phone"], lead["name"], lead["source"]) == (PHONE, "Helena Souza", "site")
    (message,) = office.sent()
    assert (message["phone"], message["kind"]) == (PHONE, "send-text")
    assert message["message"].startswith("Olá, Helena! Aqui é da Carinho com Você.")
    (attribution,) = partners.rows("marketing", "attributions")
    assert (attribution["lead_id"], attribution["campaign_id"]) == (lead["id"], 1)
    assert office.event_row(event).status == "done"
    office.consistent()


def test_calls_say_who_calls_and_name_themselves(office: Office, partners: Partners) -> None:
    partners.api_key("crm", "the key of the crm")
    event = office.receive("lead.created", LEAD)
    office.work()
    assert office.steps(event) == ALL_DONE
    (create,) = partners.book("crm", path="/api/v1/leads", method="POST")
    headers = {name.lower(): value for name, value in create["headers"].items()}
    assert headers["x-source-system"] == "integracoes"
    assert headers["x-request-id"].startswith("msg_")
    assert headers["idempotency-key"] == f"lead:{PHONE}"
    stored = "".join(row.request_headers for row in office.all_attempts(event))
    assert "the key of the crm" not in stored


def test_a_known_lead_is_updated(office: Office, partners: Partners) -> None:
    first = office.receive("lead.created", LEAD)
    office.work()
    second = office.receive("lead.created", {**LEAD, "phone": "+55 11 8765-4321"})
    office.work()
    assert office.steps(first) == office.steps(second) == ALL_DONE
    (lead,) = partners.rows("crm", "leads")
    assert lead["interaction_count"] == 2


@pytest.mark.usefixtures("any_database")
def test_three_at_once_make_one_lead(office: Office, partners: Partners) -> None:
    events = [office.receive("lead.created", {**LEAD, "form_id": n}) for n in range(3)]
    assert office.step(events[1], "find_lead").state == "held"
    office.work()
    assert [office.steps(event) for event in events] == [ALL_DONE] * 3
    (lead,) = partners.rows("crm", "leads")
    assert lead["interaction_count"] == 3
    office.consistent()


@pytest.mark.parametrize("before", [0, 1, 2])
def test_a_clock_that_steps_back_makes_no_step_wait(
    office: Office, partners: Partners, before: int
) -> None:
    first, second = (office.receive("lead.created", {**LEAD, "form_id": n}) for n in range(2))
    for _ in range(before):
        office.turn()
    for event in (first, second):
        office.clock_steps_back(event)
    office.work()
    assert office.steps(first) == office.steps(second) == ALL_DONE
    assert len(partners.rows("crm", "leads")) == 1
    assert {office.event_row(event).status for event in (first, second)} == {"done"}
    office.consistent()


@pytest.mark.parametrize(
    ("changes", "skipped"),
    [
        ({"utm_campaign": ""}, {"find_campaign", "attribution"}),
        ({"utm_campaign": "never heard of"}, {"attribution"}),
        ({"phone": ""}, {"find_lead", "save_lead", "auto_reply"}),
        ({"phone": "123"}, {"find_lead", "save_lead", "auto_reply"}),
        ({"lead_id": 7}, {"find_lead", "save_lead"}),
    ],
)
def test_what_has_nothing_to_do_is_skipped(
    office: Office, changes: dict[str, object], skipped: set[str]
) -> None:
    event = office.receive("lead.created", {**LEAD, **changes})
    office.work()
    found = office.steps(event)
    assert {name for name, state in found.items() if state == "skipped"} == skipped
    assert set(found.values()) == {"done", "skipped"}
    assert all(office.step(event, name).note for name in skipped)


def test_the_answer_does_not_wait_for_the_crm(office: Office, partners: Partners) -> None:
    partners.mode("crm", "503")
    event = office.receive("lead.created", LEAD)
    office.work()
    states = office.steps(event)
    assert (states["find_lead"], states["auto_reply"]) == ("failed", "done")
    assert (states["save_lead"], states["attribution"]) == ("blocked", "blocked")
    assert len(office.sent()) == 1
    assert office.event_row(event).status == "failed"
    office.consistent()


def test_a_dead_step_goes_on_alone_when_it_is_sent_again(
    office: Office, partners: Partners
) -> None:
    partners.mode("marketing", "503", path_contains="attribution")
    event = office.receive("lead.created", LEAD)
    office.work()
    assert office.steps(event) == {**ALL_DONE, "attribution": "failed"}
    (letter,) = office.dead_letters()
    partners.mode("marketing", "ok")
    retry(letter.id, by=SYSTEM, why="de volta", now=clock.now())
    office.work()
    assert office.steps(event) == ALL_DONE
    assert len(partners.rows("crm", "leads")) == len(office.sent()) == 1
    assert len(partners.rows("marketing", "attributions")) == 1
    assert office.event_row(event).status == "done"
    office.consistent()


@pytest.mark.usefixtures("any_database")
def test_a_dead_look_sent_again_while_the_phone_writes_makes_one_lead(
    office: Office, partners: Partners
) -> None:
    partners.mode("crm", "503", path_contains="/api/v1/leads")
    first = office.receive("lead.created", LEAD)
    office.work()
    assert office.step(first, "find_lead").state == "failed"
    # The same phone writes once more, is looked for, and its lead is being made.
    partners.mode("crm", "hang", method="POST", path_contains="/api/v1/leads")
    second = office.receive("lead.created", LEAD)
    while not (making := office.step(second, "save_lead").delivery_id):
        office.turn(lands=False)
    office.change([making], due_at=clock.now() + clock.HOUR, lease=None)
    letter = next(row for row in office.dead_letters() if row.event_id == first)
    retry(letter.id, by=SYSTEM, why="de volta", now=clock.now())
    while office.step(first, "find_lead").state != "done":
        office.turn(lands=False)
    # It found nothing, and now it waits for its turn with what is old by then.
    assert office.step(first, "save_lead").state == "held"
    partners.mode("crm", "ok")
    office.change([making], due_at=clock.now())
    office.work()
    assert office.delivery(making).status == "sent"
    (lead,) = partners.rows("crm", "leads")
    assert lead["interaction_count"] == 2
    assert set(office.steps(first).values()) == {"done"}
    assert office.event_row(first).status == "done"
    office.consistent()


def test_a_dead_write_sent_again_after_another_made_the_lead_makes_no_second(
    office: Office, partners: Partners
) -> None:
    partners.mode("crm", "503", method="POST", path_contains="/api/v1/leads")
    first = office.receive("lead.created", LEAD)
    office.work()
    assert office.step(first, "save_lead").state == "failed"
    partners.mode("crm", "ok")
    office.receive("lead.created", LEAD)
    office.work()
    (letter,) = [row for row in office.dead_letters() if row.event_id == first]
    retry(letter.id, by=SYSTEM, why="de volta", now=clock.now())
    office.work()
    assert office.steps(first) == ALL_DONE
    assert len(partners.rows("crm", "leads")) == 1
    office.consistent()


@pytest.mark.parametrize("fault", ["503", "lost", "bad_json", "short_body"])
def test_a_fault_in_the_middle_makes_nothing_twice(
    office: Office, partners: Partners, fault: str
) -> None:
    for system in ("crm", "marketing"):
        partners.mode(system, fault, times=1, method="POST", path_contains="/api/v1/leads")
        partners.mode(system, fault, times=1, method="GET", add=True)
        partners.mode(system, fault, times=1, path_contains="attribution", add=True)
    event = office.receive("lead.created", LEAD)
    office.work()
    assert office.steps(event) == ALL_DONE
    (lead,) = partners.rows("crm", "leads")
    assert lead["interaction_count"] == 1
    assert len(partners.rows("marketing", "attributions")) == len(office.sent()) == 1


@pytest.mark.usefixtures("any_database")
def test_a_worker_that_dies_after_the_write_makes_nothing_twice(
    office: Office, partners: Partners
) -> None:
    event = office.receive("lead.created", {**LEAD, "utm_campaign": ""})
    office.die_after("/api/v1/leads")
    office.work()
    assert set(office.steps(event).values()) == {"done", "skipped"}
    assert len(partners.rows("crm", "leads")) == 1
    assert len(partners.book("crm", path="/api/v1/leads", method="POST")) == 2


def test_who_opted_out_gets_no_message(office: Office) -> None:
    opt_out_by_hand(PHONE, by=SYSTEM, now=clock.now())
    event = office.receive("lead.created", LEAD)
    office.work()
    assert office.step(event, "auto_reply").state == "skipped"
    assert office.sent() == []


def test_an_automation_that_is_off_does_nothing(office: Office) -> None:
    office.switch_off("new_lead")
    event = office.receive("lead.created", LEAD)
    office.work()
    assert office.steps(event) == {}
    assert {row.kind for row in office.of_event(event)} == {"webhook"}


@pytest.mark.parametrize("payload", [{}, {"phone": {"a": 1}}, {"phone": [], "utm_campaign": 7.5}])
def test_any_payload_is_accepted(office: Office, payload: dict[str, object]) -> None:
    event = office.receive("lead.created", payload)
    office.work()
    assert set(office.steps(event).values()) <= {"skipped", "done", "failed", "blocked"}
    assert json.dumps(payload)
