"""Signatures: replayed, cut, doubled, in odd letters; and told in the same time."""

from __future__ import annotations

import ast
import hashlib
import hmac

import pytest
from flask.testing import FlaskClient

from app import clock
from app.systems.rules.signing import standard_signature
from tests.house.running import ROOT

SECRET = "a secret of the crm, known to it and to us"
BODY = b'{"event_type": "lead.created", "name": "Ana"}'
RIGHT = hmac.new(SECRET.encode(), BODY, hashlib.sha256).hexdigest()
URL = "/webhooks/systems/crm"


@pytest.fixture
def environ() -> dict[str, str]:
    return {"CARINHO_CRM_WEBHOOK_SECRET": SECRET}


MALFORMED = [
    "", " ", "sha256=", "=", RIGHT[:-1], RIGHT + "0", RIGHT[::-1], "sha256=" + RIGHT[:32],
    "sha1=" + hashlib.sha1(BODY).hexdigest(), "md5=x", "ção", "\xff" * 64, "0" * 64, "0x" + RIGHT,
    "sha256=" * 500 + RIGHT, "null", "undefined", "[]", "sha512=" + RIGHT, "none", "v1," + RIGHT,
    hashlib.sha256(BODY).hexdigest(), hmac.new(b"", BODY, hashlib.sha256).hexdigest(),
]  # fmt: skip


def test_malformed_ones_are_refused_and_never_an_error(seeded_app, client: FlaskClient) -> None:
    for name in ("X-Webhook-Signature", "X-Signature", "X-Hub-Signature-256"):
        for value in MALFORMED:
            answer = client.post(URL, data=BODY, headers={name: value})
            assert (name, value, answer.status_code) == (name, value, 401)
    assert client.post(URL, data=BODY, headers={"X-Signature": RIGHT}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"webhook-timestamp": ""},
        {"webhook-timestamp": "NaN"},
        {"webhook-timestamp": "-1"},
        {"webhook-timestamp": "9" * 30},
        {"webhook-timestamp": "1e9"},
        {"webhook-timestamp": "٠١٢"},
        {"webhook-id": ""},
        {"webhook-id": "x" * 5_000},
        {"webhook-id": "a\x7fb"},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1,!!!!"},
        {"webhook-signature": "v2,AAAA"},
        {"webhook-signature": "v1,AAAA " * 2_000},
        {"webhook-signature": ","},
    ],
    ids=ascii,
)
def test_odd_standard_headers_are_refused(
    seeded_app, client: FlaskClient, headers: dict[str, str]
) -> None:
    now = clock.now() // 1000
    good = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(now),
        "webhook-signature": standard_signature(BODY, SECRET, "msg_1", now),
    }
    assert client.post(URL, data=BODY, headers=good | headers).status_code == 401
    assert client.post(URL, data=BODY, headers=good).status_code == 200


@pytest.mark.parametrize("seconds", [-301, 301, -86_400, 86_400])
def test_a_signature_of_another_time_is_refused(
    seeded_app, client: FlaskClient, seconds: int
) -> None:
    at = clock.now() // 1000 + seconds
    headers = {
        "webhook-id": "msg_2",
        "webhook-timestamp": str(at),
        "webhook-signature": standard_signature(BODY, SECRET, "msg_2", at),
    }
    assert client.post(URL, data=BODY, headers=headers).status_code == 401


def test_a_replay_counts_once_however_it_is_dressed(
    seeded_app, client: FlaskClient, api_key
) -> None:
    dressed = [{}, {"X-Event-ID": "1"}, {"Idempotency-Key": "2"}, {"webhook-id": "3"},
               {"X-Request-ID": "4"}, {"X-Event-Type": "lead.created"}]  # fmt: skip
    for more in dressed:
        answer = client.post(URL, data=BODY, headers={"X-Signature": RIGHT, **more})
        assert answer.status_code in (200, 401)
    found = client.get("/api/events", headers={"X-API-Key": api_key("events:read")}).json
    assert found["meta"]["total"] == 1


@pytest.mark.parametrize(
    "path",
    ["app/systems/rules/signing.py", "app/events/routes/proof.py", "app/access/rules/codes.py"],
)
def test_secrets_are_compared_in_constant_time(path: str) -> None:
    """No `==` between what came in and what is right: hmac.compare_digest."""
    text = (ROOT / path).read_text()
    assert "compare_digest" in text or "_any_equal" in text or ".verify(" in text
    secret = {"signature", "digest", "token", "code", "valid", "given", "secret"}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq | ast.NotEq):
            names = {
                side.id for side in (node.left, *node.comparators) if isinstance(side, ast.Name)
            }
            assert not names & secret, (path, node.lineno)
