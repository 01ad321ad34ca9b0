"""The signed webhooks of the systems: each of them, and each refusal."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from standardwebhooks.webhooks import Webhook

from tests.events.conftest import SECRET
from tests.partners.proofs import hex_signature

Webhooks = Callable[..., Any]
Stored = Callable[[], list[Any]]
OTHER = "the secret of another system"
STANDARD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
DOOR, LEAD = "site/lead", {"name": "Ana", "phone": "11999990000"}


@pytest.fixture
def environ() -> dict[str, str]:
    names = ("site", "crm", "operacao", "financeiro", "cuidadores")
    secrets = {f"CARINHO_{name.upper()}_WEBHOOK_SECRET": SECRET for name in names}
    return {
        **secrets,
        "CARINHO_MARKETING_WEBHOOK_SECRET": OTHER,
        "CARINHO_DOCUMENTOS_WEBHOOK_SECRET": STANDARD,
    }


CASES = [
    ("site/lead", LEAD | {"utm_source": "google"}, "lead.created", "site"),
    ("site/lead", {"email": "ana@example.com", "extra": [1]}, "lead.created", "site"),
    ("site/lead", {"name": None, "phone": 11999990000}, "lead.created", "site"),
    ("crm/client-registered", {"id": 1, "name": "Ana"}, "client.registered", "crm"),
    ("crm/client-registered", {"id": "1", "lead_id": None}, "client.registered", "crm"),
    (
        "operacao/service-completed",
        {"id": 1, "client_id": "2", "duration_hours": "8", "is_night": 1},
        "service.completed",
        "operacao",
    ),
    ("financeiro/payment", {"id": 1, "status": "received"}, "payment.received", "financeiro"),
    ("financeiro/payment", {"id": 1, "status": "failed"}, "payment.failed", "financeiro"),
    ("financeiro/payment", {"id": 1, "status": "refused"}, "payment.failed", "financeiro"),
    ("financeiro/payout", {"id": 1, "caregiver_id": 2}, "payout.processed", "financeiro"),
    ("cuidadores/feedback", {"rating": 5, "comment": ""}, "feedback.received", "cuidadores"),
    ("cuidadores/feedback", {"rating": "5"}, "feedback.received", "cuidadores"),
]


@pytest.mark.parametrize(("path", "body", "event_type", "source"), CASES)
def test_each_webhook_becomes_its_event(
    webhook: Webhooks, stored: Stored, path: str, body: Any, event_type: str, source: str
) -> None:
    status, answer = webhook(path, body)
    (row,) = stored()
    assert (status, answer) == (200, {"status": "received", "event_id": row.id})
    assert (row.event_type, row.source_system) == (event_type, source)
    assert json.loads(row.payload) == body
    assert json.loads(row.raw) == body
    assert (row.received_via, row.verified) == (f"webhook:{path}", True)


INCOMPLETE = [
    ("site/lead", {}, "body"),
    ("site/lead", {"name": "Ana", "phone": "", "email": None}, "body"),
    ("site/lead", {"phone": ["1"]}, "phone.int"),
    ("crm/client-registered", {"name": "Ana"}, "id"),
    ("operacao/service-completed", {"id": 1}, "client_id"),
    ("financeiro/payment", {"id": 1}, "status"),
    ("financeiro/payment", {"id": 1, "status": None}, "status"),
    ("financeiro/payout", {"id": 1}, "caregiver_id"),
    ("cuidadores/feedback", {"comment": "ok"}, "rating"),
    ("crm/client-registered", [], "body"),
    ("crm/client-registered", b"{", "body"),
    ("crm/client-registered", b"", "body"),
    ("systems/crm", {"id": 1}, "event_type"),
    ("systems/crm", {"event_type": "nonsense"}, "event_type"),
    ("systems/crm", [1], "body"),
]


def test_what_is_missing_is_named(webhook: Webhooks, stored: Stored) -> None:
    for path, body, field in INCOMPLETE:
        status, answer = webhook(path, body)
        assert (status, answer["error"]) == (422, "Validation failed"), (path, body)
        assert field in answer["details"]
    assert stored() == []


PATHS = sorted({case[0] for case in CASES} | {"systems/crm"})
RAW = json.dumps(LEAD).encode()
SIGNATURE = hex_signature(SECRET, RAW)


@pytest.mark.parametrize(
    ("headers", "error"),
    [
        ({}, "Missing webhook signature"),
        ({"X-Webhook-Signature": ""}, "Missing webhook signature"),
        ({"X-Webhook-Signature": hex_signature(OTHER, RAW)}, "Invalid signature"),
        ({"X-Webhook-Signature": SIGNATURE[:-1]}, "Invalid signature"),
        ({"X-Webhook-Signature": "é" * 64}, "Invalid signature"),
        ({"X-Webhook-Signature": hex_signature("", RAW)}, "Invalid signature"),
        ({"webhook-signature": "v1,AAAA"}, "Invalid signature"),
    ],
)
def test_nothing_passes_without_its_signature(
    webhook: Webhooks, stored: Stored, headers: dict[str, str], error: str
) -> None:
    for path in PATHS:
        status, answer = webhook(path, RAW, headers)
        assert (status, answer["error"]) == (401, error), path
    assert stored() == []


@pytest.mark.parametrize("form", ["{}", "sha256={}"])
def test_each_header_will_do(webhook: Webhooks, form: str) -> None:
    for name in ("X-Webhook-Signature", "X-Signature", "X-Hub-Signature-256"):
        assert webhook(DOOR, RAW, {name: form.format(SIGNATURE)}).status == 200


def test_a_changed_byte_is_noticed(webhook: Webhooks) -> None:
    assert webhook(DOOR, RAW + b" ", {"X-Webhook-Signature": SIGNATURE}).status == 401


def test_the_same_bytes_count_once(webhook: Webhooks, stored: Stored) -> None:
    first = webhook(DOOR, LEAD)
    replay = {"X-Webhook-Signature": SIGNATURE, "X-Event-ID": "new", "Idempotency-Key": "new"}
    assert webhook(DOOR, LEAD, replay) == first
    assert webhook(DOOR, LEAD | {"form_id": 2}) != first
    assert len(stored()) == 2


def trio(raw: bytes, secret: str = SECRET, age: float = 0, id_: str = "msg_1") -> dict[str, str]:
    """Headers of Standard Webhooks as its own library makes them."""
    at = datetime.now(UTC) - timedelta(seconds=age)
    signer = Webhook(secret if secret.startswith("whsec_") else secret.encode())
    signature = signer.sign(msg_id=id_, timestamp=at, data=raw.decode())
    stamp = str(int(at.timestamp()))
    return {"webhook-id": id_, "webhook-timestamp": stamp, "webhook-signature": signature}


@pytest.mark.parametrize(("path", "secret"), [(DOOR, SECRET), ("systems/documentos", STANDARD)])
def test_standard_webhooks_are_accepted(
    webhook: Webhooks, stored: Stored, path: str, secret: str
) -> None:
    headers = trio(RAW, secret) | {"X-Event-Type": "document.signed"}
    assert webhook(path, RAW, headers).status == 200
    assert stored()[0].verified


def test_a_replay_within_the_window_counts_once(webhook: Webhooks, stored: Stored) -> None:
    headers = trio(RAW, age=60)
    assert webhook(DOOR, RAW, headers) == webhook(DOOR, RAW, headers)
    assert len(stored()) == 1
    assert webhook(DOOR, RAW, trio(RAW, id_="msg_2")).status == 200
    assert len(stored()) == 2


@pytest.mark.parametrize("age", [302, -302, 10**9])
def test_beyond_the_window_it_is_refused(webhook: Webhooks, stored: Stored, age: int) -> None:
    headers = trio(RAW, age=age)
    assert webhook(DOOR, RAW, headers).status == 401
    # Nor may it pass by the signature that holds no time.
    assert webhook(DOOR, RAW, headers | {"X-Webhook-Signature": SIGNATURE}).status == 401
    assert stored() == []


def test_one_id_with_two_bodies_clashes(webhook: Webhooks) -> None:
    assert webhook(DOOR, RAW, trio(RAW)).status == 200
    other = json.dumps(LEAD | {"n": 2}).encode()
    assert webhook(DOOR, other, trio(other)).status == 409


@pytest.mark.parametrize(
    ("header", "named", "expected"),
    [
        ("client.updated", None, "client.updated"),
        (None, "client.updated", "client.updated"),
        ("client.updated", "lead.updated", "client.updated"),
        ("", "lead.updated", "lead.updated"),
        (" client.updated ", None, "client.updated"),
    ],
)
def test_the_type_stands_in_the_header_or_the_body(
    webhook: Webhooks, stored: Stored, header: str | None, named: str | None, expected: str
) -> None:
    raw = json.dumps({"id": 1} | ({"event_type": named} if named else {})).encode()
    headers = {"X-Webhook-Signature": hex_signature(SECRET, raw)}
    headers |= {"X-Event-Type": header} if header is not None else {}
    status, answer = webhook("systems/crm", raw, headers)
    assert (status, answer) == (200, {"status": "received", "event_type": expected})
    assert (stored()[0].event_type, stored()[0].source_system) == (expected, "crm")


def test_unknown_systems_and_doors_are_not_found(webhook: Webhooks) -> None:
    assert webhook("systems/erp", {"event_type": "a.b"}).status == 404
    assert webhook("site/unknown", {}).status == 404


def test_only_posts_are_taken(client: FlaskClient) -> None:
    assert client.get("/webhooks/site/lead").status_code == 405
    assert client.put("/webhooks/systems/crm").status_code == 405


def test_a_large_body_is_refused_before_its_signature(webhook: Webhooks) -> None:
    assert webhook(DOOR, b"x" * 1_048_577, {}).status == 413


def test_without_a_secret_it_counts_as_unproved(
    webhook: Webhooks, stored: Stored, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert webhook("systems/atendimento", {"event_type": "a.b"}, {}).status == 200
    assert not stored()[0].verified
    assert "atendimento" in caplog.text


class TestProduction:
    """The strict rules."""

    @pytest.fixture
    def environ(self) -> dict[str, str]:
        return {
            "HUB_ENV": "production",
            "HUB_TRUSTED_PROXIES": "0",
            "HUB_PUBLIC_URL": "https://localhost",
            "CARINHO_SITE_WEBHOOK_SECRET": SECRET,
        }

    @pytest.mark.parametrize("path", ["systems/crm", "crm/client-registered", "whatsapp"])
    def test_without_a_secret_nothing_passes(
        self, webhook: Webhooks, stored: Stored, path: str
    ) -> None:
        status, answer = webhook(path, {"event_type": "a.b", "id": 1})
        assert (status, answer["error"]) == (
            403,
            "No webhook secret is configured for this system",
        )
        assert stored() == []

    def test_with_one_it_passes(self, webhook: Webhooks) -> None:
        assert webhook(DOOR, LEAD).status == 200
