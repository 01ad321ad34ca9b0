"""A delivery on the wire: signed for the partners' library, logged without secrets."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from app import clock
from app.deliveries.rules.message import SECRET_HEADERS, headers_of, logged, message_id
from app.systems.rules.signing import new_secret


@dataclass(frozen=True)
class Sent:
    id: int = 7
    event_id: int = 3
    event_type: str = "lead.created"
    created_at: int = 1_700_000_000_000
    body: bytes = b'{"name":"Maria"}'


SECRET = new_secret()
OLD = new_secret()


def verify(secret: str, message: Sent, headers: dict[str, str]) -> None:
    lower = {name.lower(): value for name, value in headers.items()}
    Webhook(secret).verify(message.body, lower, json_parse=False)


@given(st.text(max_size=300))
def test_any_body_verifies_with_the_public_library(body: str) -> None:
    message = Sent(body=body.encode("utf-8", "replace"))
    verify(SECRET, message, headers_of(message, (SECRET,), clock.now()))


def test_both_secrets_verify_during_a_rotation() -> None:
    headers = headers_of(Sent(), (SECRET, OLD), clock.now())
    verify(SECRET, Sent(), headers)
    verify(OLD, Sent(), headers)
    with pytest.raises(WebhookVerificationError):
        verify(new_secret(), Sent(), headers)


@pytest.mark.parametrize("change", [{"body": b"{}"}, {"body": b""}])
def test_a_changed_body_does_not_verify(change: dict[str, bytes]) -> None:
    headers = headers_of(Sent(), (SECRET,), clock.now())
    with pytest.raises(WebhookVerificationError):
        verify(SECRET, replace(Sent(), **change), headers)  # type: ignore[arg-type]


def test_the_headers_of_the_contract() -> None:
    now = 1_700_000_123_456
    headers = headers_of(Sent(), (SECRET,), now)
    assert headers["Content-Type"] == "application/json"
    assert headers["X-Source-System"] == "integracoes"
    assert headers["X-Event-Type"] == "lead.created"
    assert headers["X-Event-ID"] == "3"
    assert headers["X-Timestamp"] == "2023-11-14T22:15:23.456Z"
    assert headers["webhook-timestamp"] == "1700000123"
    assert len(headers["X-Webhook-Signature"]) == 64


def test_the_id_is_the_same_on_every_attempt_and_the_signature_is_not() -> None:
    first = headers_of(Sent(), (SECRET,), 1_700_000_001_000)
    later = headers_of(Sent(), (SECRET,), 1_700_000_999_000)
    assert first["webhook-id"] == later["webhook-id"]
    assert first["webhook-signature"] != later["webhook-signature"]


def test_ids_differ_between_deliveries_and_between_installations() -> None:
    ids = {message_id(id_, at) for id_ in range(50) for at in (1, 2, 1_700_000_000_000)}
    assert len(ids) == 150


def test_what_is_logged_cannot_be_used() -> None:
    headers = headers_of(Sent(), (SECRET, OLD), clock.now())
    kept = logged({**headers, "X-API-Key": "carinho_0123456789abcdef"})
    assert kept.keys() == {*headers, "X-API-Key"}
    for name in SECRET_HEADERS:
        assert len(kept[name]) <= 7
        assert headers.get(name, "carinho_0123456789abcdef") not in kept.values()
    for name in headers.keys() - SECRET_HEADERS:
        assert kept[name] == headers[name]
