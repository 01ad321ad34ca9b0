"""WhatsApp messages as deliveries: in order for each phone, paced, final and passing refusals."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from app import clock
from app.access.actor import SYSTEM
from app.db import transaction
from app.deliveries.actions.add import New, add
from app.deliveries.actions.dead_letters import retry
from app.deliveries.jobs.carriers import THREADS
from app.deliveries.models import WHATSAPP, Delivery
from app.messages.actions import connection
from app.messages.actions.once import PATIENCE_MS, never_left
from app.messages.actions.send_whatsapp import _reserve
from app.messages.actions.texts import opt_out_by_hand
from app.messages.models import Message, WhatsAppMessage, WhatsAppState
from app.messages.rules import bodies
from app.messages.rules.ticks import state_of
from app.queues import NOTIFICATIONS
from app.systems.rules.answer import Answer
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


@pytest.mark.usefixtures("any_database")
def test_turns_are_an_interval_apart_whoever_asks(office: Office) -> None:
    now = clock.now()
    turns = sorted(office.at_once(4, lambda _: _reserve(now, 250)))
    assert turns == [now, now + 250, now + 500, now + 750]


def test_two_full_workers_keep_the_longest_distance(office: Office) -> None:
    now = clock.now()
    turns = [_reserve(now, 1_000) for _ in range(2 * THREADS)]
    assert turns == [now + n * 1_000 for n in range(2 * THREADS)]


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


def _again(office: Office, delivery: int, ms: int) -> None:
    """As if the begin of the send lay so much further back, and its retry were due."""
    with transaction() as tx:
        mine = update(Message).where(Message.delivery_id == delivery)
        tx.connection.execute(mine.values(started_at=Message.started_at - ms))
    office.hurry()
    office.turn()


def _callback(office: Office, client: FlaskClient, **values: Any) -> None:
    told = {"type": "DeliveryCallback", "instanceId": "I", "phone": PHONE, **values}
    headers = {"z-api-token": TOKEN}
    assert client.post("/webhooks/whatsapp/status", json=told, headers=headers).status_code == 200


@pytest.mark.usefixtures("any_database")
def test_an_answer_that_got_lost_sends_nothing_twice(
    office: Office, partners: Partners, say: Any, client: FlaskClient
) -> None:
    partners.mode("whatsapp", "lost", times=1, path_contains="send-text")
    delivery = say("Olá")
    office.turn()
    (sent,) = office.sent()
    # Nobody has told of it: nothing leaves again, until attempts are used up.
    office.work()
    row = office.delivery(delivery)
    assert (row.status, row.attempts) == ("failed", 3)
    assert row.last_error.startswith("não se sabe se a mensagem saiu")
    _callback(office, client, messageId=sent["messageId"], zaapId=sent["zaapId"])
    (letter,) = office.dead_letters()
    retry(letter.id, by=SYSTEM, why="confirmado", now=clock.now())
    office.work()
    assert office.delivery(delivery).status == "sent"
    assert len(office.sent()) == 1
    (kept,) = office.rows(WhatsAppMessage)
    assert (kept.delivery_id, kept.message_id) == (delivery, sent["messageId"])
    office.consistent()


def test_what_nobody_knows_of_is_left_to_a_person(
    office: Office, partners: Partners, say: Any
) -> None:
    partners.mode("whatsapp", "lost", times=1, path_contains="send-text")
    delivery = say("Olá")
    office.work()
    assert office.delivery(delivery).status == "failed"
    assert len(office.sent()) == 1
    (letter,) = office.dead_letters()
    retry(letter.id, by=SYSTEM, why="não chegou", now=clock.now())
    office.work()
    assert office.delivery(delivery).status == "sent"
    assert len(office.sent()) == 2


def test_it_leaves_again_when_others_were_told_of_and_it_was_not(
    office: Office, partners: Partners, say: Any, client: FlaskClient
) -> None:
    partners.mode("whatsapp", "refuse", times=1, path_contains="send-text")
    delivery = say("Olá")
    office.turn()
    assert office.sent() == []
    _callback(office, client, phone=OTHER, messageId="M1", zaapId="Z1")
    _again(office, delivery, PATIENCE_MS + 1_000)
    assert office.delivery(delivery).status == "sent"
    assert len(office.sent()) == 1


def test_what_the_provider_still_holds_has_been_sent(
    office: Office, partners: Partners, say: Any
) -> None:
    partners.disconnect_whatsapp()
    partners.mode("whatsapp", "lost", times=1, path_contains="send-text")
    delivery = say("Olá")
    office.turn()
    _again(office, delivery, 0)
    assert office.delivery(delivery).status == "sent"
    partners.connect_whatsapp()
    assert len(office.sent()) == 1


@pytest.mark.parametrize(
    ("status", "error_class", "never"),
    [
        (None, "connect", True), (None, "dns", True), (400, "", True), (503, "", True),
        (504, "", False), (None, "timeout", False), (None, "cut_off", False), (200, "", False),
        (200, "cut_off", False),
    ],
)  # fmt: skip
def test_what_proves_that_it_never_left(status: int | None, error_class: str, never: bool) -> None:
    assert never_left(Answer(status, b"", {}, 0, error_class)) is never


@pytest.mark.usefixtures("any_database")
@pytest.mark.parametrize(
    "value",
    ["[" * 100 + "]" * 100, "[" * 300 + "]" * 300, "[" * 9_000, r'"\ud800"', r'"a\u0000"', "NaN",
     '{"a": 1}'],
)  # fmt: skip
def test_strange_ids_send_nothing_twice(office: Office, say: Any, value: str) -> None:
    text = f'{{"zaapId": {value}, "messageId": {value}, "id": {value}}}'
    office.partners.mode("whatsapp", "answer", path_contains="send-text", text=text)
    delivery = say("Olá")
    office.work()
    assert len(office.sent()) == 1
    assert (office.delivery(delivery).status, office.delivery(delivery).attempts) == ("sent", 1)
    assert office.rows(WhatsAppMessage) == []


@pytest.mark.parametrize("value", ["[" * 300 + "]" * 300, r'"\ud800"', r'"a\u0000"', "1e999"])
def test_a_strange_state_of_the_connection_breaks_nothing(office: Office, value: str) -> None:
    text = f'{{"connected": true, "error": {value}, "due": {value}, "paymentStatus": {value}}}'
    office.partners.mode("whatsapp", "answer", text=text)
    connection.check()
    assert len(office.rows(WhatsAppState)) == 1
