"""Signatures that come in: right ones in each form, wrong ones of each kind, never an exception."""

from __future__ import annotations

import pytest
import standardwebhooks
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import Headers

from app import clock
from app.systems.rules.rotation import valid_secrets
from app.systems.rules.signing import (
    HMAC_HEADERS,
    STANDARD_HEADERS,
    hmac_hex,
    is_signed,
    new_secret,
    signed_headers,
    verify_hmac,
    verify_standard,
)

SECRET = "a shared secret"
BODY = '{"nome":"José"}'.encode()
GOOD = hmac_hex(BODY, SECRET)
NOW = 1_700_000_000_000


@pytest.mark.parametrize("header", HMAC_HEADERS)
@pytest.mark.parametrize("form", ["{}", "sha256={}", " {} ", "sha256={} "])
def test_a_right_signature_is_accepted(header: str, form: str) -> None:
    assert verify_hmac(BODY, {header: form.format(GOOD)}, [SECRET])


def test_header_names_and_hex_digits_know_no_case() -> None:
    assert verify_hmac(BODY, Headers({"x-webhook-signature": GOOD.upper()}), [SECRET])


def test_each_of_the_valid_secrets_is_accepted() -> None:
    headers = {"X-Signature": GOOD}
    assert verify_hmac(BODY, headers, ["new", SECRET])
    assert verify_hmac(BODY, headers, [SECRET, "old"])
    assert not verify_hmac(BODY, headers, ["new", "old"])


WRONG = ["", " ", "sha256=", "sha1=" + GOOD, GOOD[:-1], GOOD + "0", "0" * 64, "é" * 64, "\udcff",
         "sha256=sha256=" + GOOD, GOOD + "," + GOOD, "x" * 100_000]  # fmt: skip


@pytest.mark.parametrize("value", WRONG)
@pytest.mark.parametrize("header", HMAC_HEADERS)
def test_a_wrong_signature_is_refused(header: str, value: str) -> None:
    assert not verify_hmac(BODY, {header: value}, [SECRET])


def test_a_missing_signature_is_refused() -> None:
    assert not verify_hmac(BODY, {}, [SECRET])
    assert verify_standard(BODY, {}, [SECRET], NOW) is None


@pytest.mark.parametrize("secrets", [[], [""]])
def test_without_a_secret_nothing_is_right(secrets: list[str]) -> None:
    headers = {**signed_headers(BODY, ["x"], "id", NOW // 1000), "X-Signature": hmac_hex(BODY, "")}
    assert not verify_hmac(BODY, headers, secrets)
    assert verify_standard(BODY, headers, secrets, NOW) is None


@pytest.mark.parametrize(
    ("headers", "signed"),
    [
        ({}, False),
        ({"X-Signature": " "}, False),
        ({"X-Hub-Signature-256": "x"}, True),
        ({"webhook-signature": "v1,x"}, True),
        ({"webhook-id": "x"}, False),
    ],
)
def test_missing_and_wrong_are_told_apart(headers: dict[str, str], signed: bool) -> None:
    assert is_signed(headers) is signed


def test_the_library_of_the_standard_signs_for_us() -> None:
    secret, now = new_secret(), clock.now()
    moment = clock.to_datetime(now)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(now // 1000),
        "webhook-signature": standardwebhooks.Webhook(secret).sign("msg_1", moment, BODY.decode()),
    }
    assert verify_standard(BODY, headers, [secret], now) == "msg_1"


def standard(**changes: str) -> dict[str, str]:
    """Right headers with some replaced (`webhook_id` for `webhook-id`)."""
    right = signed_headers(BODY, [SECRET], "msg_1", NOW // 1000)
    return right | {name.replace("_", "-"): value for name, value in changes.items()}


@pytest.mark.parametrize("off", [-300, -1, 0, 1, 300])
def test_five_minutes_either_way_are_tolerated(off: int) -> None:
    assert verify_standard(BODY, standard(), [SECRET], NOW + off * 1000) == "msg_1"


@pytest.mark.parametrize("off", [-3600, -301, 301, 3600])
def test_more_than_five_minutes_are_refused(off: int) -> None:
    assert verify_standard(BODY, standard(), [SECRET], NOW + off * 1000) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"webhook_id": ""},
        {"webhook_id": "msg_2"},
        {"webhook_id": "x" * 201},
        {"webhook_id": "a\nb"},
        {"webhook_id": "é"},
        {"webhook_timestamp": ""},
        {"webhook_timestamp": "1.7e9"},
        {"webhook_timestamp": "01700000000"},
        {"webhook_timestamp": "-1"},
        {"webhook_timestamp": "²"},
        {"webhook_timestamp": "9" * 4301},
        {"webhook_signature": ""},
        {"webhook_signature": "v1,"},
        {"webhook_signature": "v1"},
        {"webhook_signature": "v2,AAAA"},
        {"webhook_signature": "\udcff é"},
        {"webhook_signature": "v1,x " * 5000},
    ],
)
def test_a_malformed_standard_header_is_refused(changes: dict[str, str]) -> None:
    assert verify_standard(BODY, standard(**changes), [SECRET], NOW) is None


def test_one_right_signature_among_several_is_enough() -> None:
    right = standard()["webhook-signature"]
    headers = standard(webhook_signature=f"v2,abc v1,AAAA {right}")
    assert verify_standard(BODY, headers, [SECRET], NOW) == "msg_1"


@given(
    st.dictionaries(st.sampled_from(HMAC_HEADERS + STANDARD_HEADERS), st.text(max_size=80)),
    st.binary(max_size=80),
    st.lists(st.text(st.characters(codec="utf-8"), max_size=20), max_size=3),
)
def test_odd_headers_are_refused_and_never_an_error(
    headers: dict[str, str], body: bytes, secrets: list[str]
) -> None:
    assert not verify_hmac(body, headers, secrets)
    assert verify_standard(body, headers, secrets, NOW) is None


@pytest.mark.parametrize(
    ("current", "previous", "until", "valid"),
    [
        ("a", "", None, ("a",)),
        ("a", "b", NOW + 1, ("a", "b")),
        ("a", "b", NOW, ("a",)),
        ("a", "b", None, ("a",)),
        ("a", "", NOW + 1, ("a",)),
        ("", "", None, ()),
        ("", "b", NOW + 1, ("b",)),
    ],
)
def test_the_secrets_that_count(
    current: str, previous: str, until: int | None, valid: tuple[str, ...]
) -> None:
    assert valid_secrets(current, previous, until, NOW) == valid
