"""Signatures that leave the hub: the contract's header and Standard Webhooks."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest
import standardwebhooks
from hypothesis import given
from hypothesis import strategies as st

from app import clock
from app.systems.rules.signing import (
    hmac_hex,
    new_secret,
    signed_headers,
    standard_key,
    verify_hmac,
    verify_standard,
)

BODY = b'{"a":1}'
TEXT = st.text(st.characters(codec="utf-8"), max_size=40)


def test_the_headers_of_a_delivery() -> None:
    secret = new_secret()
    headers = signed_headers(BODY, [secret], "evt_1", 1_700_000_000)
    expected = hmac.new(secret.encode(), BODY, hashlib.sha256).hexdigest()
    assert headers["X-Webhook-Signature"] == expected
    assert headers["webhook-id"] == "evt_1"
    assert headers["webhook-timestamp"] == "1700000000"
    assert headers["webhook-signature"].startswith("v1,")
    assert len(headers) == 4


@given(body=TEXT, message_id=st.from_regex(r"[a-z0-9_]{1,30}", fullmatch=True))
def test_an_independent_library_verifies(body: str, message_id: str) -> None:
    secret, now = new_secret(), clock.now() // 1000
    headers = signed_headers(body.encode(), [secret], message_id, now)
    verifier = standardwebhooks.Webhook(secret)
    verifier.verify(body.encode(), headers, json_parse=False)
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        verifier.verify(body.encode() + b" ", headers, json_parse=False)


def test_a_secret_without_prefix_is_its_own_key() -> None:
    secret, now = "plain secret of another kind", clock.now() // 1000
    headers = signed_headers(BODY, [secret], "evt_1", now)
    standardwebhooks.Webhook(secret.encode()).verify(BODY, headers)


def test_both_secrets_verify_during_a_rotation() -> None:
    old, new, now = new_secret(), new_secret(), clock.now() // 1000
    headers = signed_headers(BODY, [new, old], "evt_1", now)
    for secret in (old, new):
        standardwebhooks.Webhook(secret).verify(BODY, headers)
    assert headers["X-Webhook-Signature"] == hmac_hex(BODY, new)


@pytest.mark.parametrize(
    ("secret", "key"),
    [
        ("whsec_" + base64.b64encode(b"k" * 32).decode(), b"k" * 32),
        ("whsec_" + base64.b64encode(b"k" * 31).decode().rstrip("="), b"k" * 31),
        ("whsec_", b"whsec_"),
        ("whsec_!", b"whsec_!"),
        ("abc", b"abc"),
        ("ção", "ção".encode()),
    ],
)
def test_the_key_of_a_secret(secret: str, key: bytes) -> None:
    assert standard_key(secret) == key


def test_new_secrets_differ_and_hold_32_bytes() -> None:
    first, second = new_secret(), new_secret()
    assert first != second
    assert len(standard_key(first)) == 32


@given(body=st.binary(max_size=200), secret=TEXT.filter(bool))
def test_what_is_signed_verifies(body: bytes, secret: str) -> None:
    now = 1_700_000_000_123
    headers = signed_headers(body, [secret], "evt_9", now // 1000)
    assert verify_hmac(body, headers, [secret])
    assert verify_standard(body, headers, [secret], now) == "evt_9"
    assert not verify_hmac(body + b"x", headers, [secret])
    assert verify_standard(body + b"x", headers, [secret], now) is None
    assert not verify_hmac(body, headers, [secret + "x"])
