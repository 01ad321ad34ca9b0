"""WhatsApp messages as deliveries: in order for each phone, paced, final and passing refusals."""

from __future__ import annotations

from typing import Any

import pytest

from app import clock
from app.access.actor import SYSTEM
from app.db import transaction
from app.deliveries.actions.add import New, add
from app.deliveries.models import WHATSAPP, Delivery
from app.messages.actions.send_whatsapp import _reserve
from app.messages.actions.texts import opt_out_by_hand
from app.messages.models import WhatsAppMessage
from app.messages.rules import bodies
from app.messages.rules.ticks import state_of
from app.queues import NOTIFICATIONS
from tests.automations.office import PHONE, Office
from tests.partners.client import Partners

OTHER = "5521987654321"
TOKEN = "a-token-that-nobody-may-see"


@pytest.fixture
def say(office: Office) -> Any:
    """`say(text, phone)` queues a message; the delivery's id."""
    event = office.receive("test.message", {})

    def queue(text: str, phone: str = PHONE, dedupe: str | None = None) -> int | None:
        body = bodies.text(phone, text).as_body()
        new = New(
            event, "test.message", WHATSAPP, WHATSAPP, NOTIFICATIONS, body,
            lane=f"whatsapp:{phone}", dedupe=dedupe,
        )  # fmt: skip
        with transaction() as tx:
            return add(tx, new, clock.now())

    return queue


def test_it_leaves_and_its_ids_are_kept(office: Office, say: Any) -> None:
    delivery = say("Olá")
    office.work()
    (sent,) = office.sent()
    (kept,) = office.rows(WhatsAppMessage)
    assert (kept.message_id, kept.zaap_id) == (sent["messageId"], sent["zaapId"])
    assert (kept.delivery_id, kept.phone, state_of(kept)) == (delivery, PHONE, "enviada")
    (attempt,) = office.attempts(delivery)
    assert (attempt.url, attempt.status) == ("Z-API send-text", 200)
    assert TOKEN not in str(tuple(attempt))
    office.consistent()


def test_one_phone_gets_its_messages_in_order(office: Office, partners: Partners, say: Any) -> None:
    partners.mode("whatsapp", "503", times=2, body_contains="um")
    for text in ("um", "dois", "três"):
        say(text)
    say("outro", OTHER)
    office.work()
    assert [m["message"] for m in office.sent() if m["phone"] == PHONE] == ["um", "dois", "três"]
    assert office.sent()[0]["message"] == "outro"


def test_a_dead_one_lets_the_next_go(office: Office, partners: Partners, say: Any) -> None:
    partners.mode("whatsapp", "400", body_contains="ruim")
    dead = say("ruim")
    say("bom")
    office.work()
    assert [m["message"] for m in office.sent()] == ["bom"]
    assert office.delivery(dead).status == "failed"


def test_the_same_cause_gives_one_message(office: Office, say: Any) -> None:
    assert say("Olá", dedupe="cause") is not None
    assert say("Olá", dedupe="cause") is None
    office.work()
    assert len(office.sent()) == 1


def test_who_said_no_meanwhile_gets_nothing(office: Office, say: Any) -> None:
    delivery = say("Olá")
    opt_out_by_hand(PHONE, by=SYSTEM, now=clock.now())
    office.work()
    assert office.sent() == []
    assert office.delivery(delivery).last_error.startswith("a pessoa pediu")


def test_while_disconnected_the_provider_keeps_it_and_it_leaves_once(
    office: Office, partners: Partners, say: Any
) -> None:
    partners.disconnect_whatsapp()
    say("Olá")
    office.work()
    assert office.sent() == []
    partners.connect_whatsapp()
    office.work()
    assert len(office.sent()) == 1


@pytest.mark.parametrize(
    ("mode", "status", "attempts"), [("400", "failed", 1), ("401", "failed", 1), ("429", "sent", 2)]
)
def test_refusals(
    office: Office, partners: Partners, say: Any, mode: str, status: str, attempts: int
) -> None:
    partners.mode("whatsapp", mode, times=1, retry_after="0")
    delivery = say("Olá")
    office.work()
    row = office.delivery(delivery)
    assert (row.status, row.attempts) == (status, attempts)


def test_turns_are_an_interval_apart_whoever_asks(office: Office) -> None:
    now = clock.now()
    turns = sorted(office.at_once(4, lambda _: _reserve(now, 250)))
    assert turns == [now, now + 250, now + 500, now + 750]


def test_a_turn_written_by_a_clock_that_stepped_back_counts_for_nothing(office: Office) -> None:
    now = clock.now()
    _reserve(now + clock.HOUR, 250)
    assert _reserve(now, 250) == now


def test_rows_that_wait_behind_others_ring_no_bell(office: Office, say: Any) -> None:
    say("um")
    second = say("dois")
    claimed = office.claim(NOTIFICATIONS, whatsapp=10).rows
    assert [row.id for row in claimed] != [] and second not in {row.id for row in claimed}
    assert office.rows(Delivery, Delivery.id == second)[0].lease is None
