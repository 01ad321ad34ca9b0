"""The webhooks of Z-API: proofs, verification, what counts once."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.db import reading
from app.deliveries.models import Delivery
from tests.events.conftest import SECRET
from tests.partners.proofs import hex_signature

Webhooks = Callable[..., Any]
Stored = Callable[[], list[Any]]
URL_TOKEN, HEADER_TOKEN = "unguessable-token-in-the-url", "token-of-the-instance"
MESSAGE = {
    "type": "ReceivedCallback",
    "phone": "5511999990000",
    "messageId": "ABC",
    "momment": 1_700_000_000_000,
    "senderName": "Ana",
    "text": {"message": "Olá"},
}
RECEIVED = {"status": "received"}


@pytest.fixture
def environ() -> dict[str, str]:
    return {
        "ZAPI_WEBHOOK_SECRET": SECRET,
        "ZAPI_WEBHOOK_TOKEN": URL_TOKEN,
        "ZAPI_TOKEN": HEADER_TOKEN,
    }


def test_a_message_becomes_an_event_and_goes_on(
    webhook: Webhooks, stored: Stored, app: Flask
) -> None:
    assert webhook("whatsapp", MESSAGE) == (200, RECEIVED)
    (row,) = stored()
    assert (row.event_type, row.source_system, row.verified) == (
        "whatsapp.inbound",
        "whatsapp",
        True,
    )
    assert json.loads(row.raw) == MESSAGE
    assert json.loads(row.payload)["body"] == "Olá"
    with app.app_context(), reading() as c:
        bodies = dict(c.execute(select(Delivery.system, Delivery.body)).all())  # type: ignore[arg-type]
    assert bodies.keys() == {"crm", "atendimento"}
    assert json.loads(bodies["atendimento"]).items() >= {
        ("phone", "5511999990000"),
        ("sender_name", "Ana"),
        ("message_body", "Olá"),
        ("received_at", "2023-11-14T22:13:20.000Z"),
    }


RAW = json.dumps(MESSAGE).encode()


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("", {"X-Webhook-Signature": hex_signature(SECRET, RAW)}),
        (f"?token={URL_TOKEN}", {}),
        ("", {"z-api-token": HEADER_TOKEN}),
        (f"?token={URL_TOKEN}", {"X-Webhook-Signature": "of a proxy that nobody told us of"}),
    ],
)
@pytest.mark.parametrize("path", ["whatsapp", "whatsapp/status"])
def test_each_proof_will_do(
    webhook: Webhooks, stored: Stored, path: str, query: str, headers: dict[str, str]
) -> None:
    assert webhook(path + query, RAW, headers) == (200, RECEIVED)
    assert stored()[0].verified


@pytest.mark.parametrize(
    ("query", "headers", "error"),
    [
        ("", {}, "Missing webhook signature"),
        ("?token=", {}, "Missing webhook signature"),
        ("?token=wrong", {}, "Invalid signature"),
        ("?token=%C3%A9%00", {}, "Invalid signature"),
        (f"?token={HEADER_TOKEN}", {}, "Invalid signature"),
        ("", {"z-api-token": URL_TOKEN}, "Invalid signature"),
        ("", {"X-Webhook-Signature": hex_signature("other", RAW)}, "Invalid signature"),
    ],
)
def test_without_a_proof_it_is_refused(
    webhook: Webhooks, stored: Stored, query: str, headers: dict[str, str], error: str
) -> None:
    for path in ("whatsapp", "whatsapp/status"):
        status, answer = webhook(path + query, RAW, headers)
        assert (status, answer["error"]) == (401, error)
    assert stored() == []


class TestNothingConfigured:
    """No secret and no token: development only."""

    @pytest.fixture
    def environ(self) -> dict[str, str]:
        return {}

    def test_it_is_kept_as_unproved(self, webhook: Webhooks, stored: Stored) -> None:
        assert webhook("whatsapp?token=", RAW, {}) == (200, RECEIVED)
        assert not stored()[0].verified


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ("", {"status": "ok", "service": "whatsapp-webhook"}),
        ("?challenge=", {"status": "ok", "service": "whatsapp-webhook"}),
        ("?challenge=X", {"challenge": "X"}),
        ("?challenge=<script>", {"challenge": "<script>"}),
    ],
)
def test_the_provider_verifies_the_address(
    client: FlaskClient, query: str, answer: dict[str, str]
) -> None:
    got = client.get(f"/webhooks/whatsapp{query}", headers={"Accept": "text/html"})
    assert (got.status_code, got.mimetype, got.get_json()) == (200, "application/json", answer)


def test_a_callback_sent_again_counts_once(webhook: Webhooks, stored: Stored) -> None:
    again = MESSAGE | {"momment": 1_700_000_009_000, "senderName": "Ana Maria"}
    assert webhook("whatsapp", MESSAGE) == webhook("whatsapp", again) == (200, RECEIVED)
    assert len(stored()) == 1


def test_the_text_that_follows_a_waiting_message_counts(webhook: Webhooks, stored: Stored) -> None:
    waiting = {k: v for k, v in MESSAGE.items() if k != "text"} | {"waitingMessage": True}
    for callback in (waiting, MESSAGE, MESSAGE | {"isEdit": True}, MESSAGE):
        webhook("whatsapp", callback)
    assert [row.event_type for row in stored()] == [
        "whatsapp.ignored",
        "whatsapp.inbound",
        "whatsapp.ignored",
    ]
    assert stored()[0].status == "done"


def test_each_tick_of_a_message_counts_once(webhook: Webhooks, stored: Stored) -> None:
    tick = {"type": "MessageStatusCallback", "ids": ["A", "B"], "phone": "5511999990000"}
    for status in ("SENT", "RECEIVED", "READ", "READ"):
        assert webhook("whatsapp/status", tick | {"status": status}) == (200, RECEIVED)
    assert [json.loads(row.payload)["status"] for row in stored()] == ["SENT", "RECEIVED", "READ"]


@pytest.mark.parametrize("body", [[], 7, "text", None, {}, {"type": 5}])
def test_any_json_is_kept(webhook: Webhooks, stored: Stored, body: Any) -> None:
    assert webhook("whatsapp", body) == (200, RECEIVED)
    assert webhook("whatsapp", body) == (200, RECEIVED)
    assert [row.event_type for row in stored()] == ["whatsapp.ignored"]


@pytest.mark.parametrize("body", [b"", b"{", b'{"a":"\\u0000"}', b"\xff"])
def test_what_is_no_json_is_refused(webhook: Webhooks, body: bytes) -> None:
    assert webhook("whatsapp", body).status == 422
