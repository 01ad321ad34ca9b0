"""The partners check who calls: both signatures of a delivery, and the API key of a call."""

from datetime import UTC, datetime, timedelta

import pytest
import requests
from standardwebhooks.webhooks import Webhook

from tests.partners.client import Partners
from tests.partners.proofs import hex_signature

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
BODY = '{"name":"Conceição"}'


def signed(secret: str, body: str = BODY, age: timedelta = timedelta()) -> dict[str, str]:
    at = datetime.now(UTC) - age
    return {
        "X-Webhook-Signature": hex_signature(secret, body.encode()),
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign("msg_1", at, body),
    }


def deliver(partners: Partners, headers: dict[str, str], body: str = BODY) -> int:
    address = f"{partners.url('crm')}/api/v1/webhooks/events"
    return requests.post(address, data=body.encode(), headers=headers, timeout=5).status_code


def test_it_works(partners: Partners) -> None:
    partners.secret("crm", SECRET)
    assert deliver(partners, signed(SECRET)) == 200
    assert partners.messages("crm") == {"msg_1": 1}


def test_either_secret_is_right_during_a_rotation(partners: Partners) -> None:
    partners.secret("crm", SECRET, OTHER)
    assert deliver(partners, signed(OTHER)) == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        signed(OTHER),
        signed(SECRET, body="{}"),
        signed(SECRET, age=timedelta(minutes=6)),
        {**signed(SECRET), "X-Webhook-Signature": "é"},
        {**signed(SECRET), "X-Webhook-Signature": ""},
        {**signed(SECRET), "webhook-signature": "v1"},
        {**signed(SECRET), "webhook-timestamp": "soon"},
        {**signed(SECRET), "webhook-id": "msg_2"},
        {"X-Webhook-Signature": hex_signature(SECRET, BODY.encode())},
    ],
)
def test_wrong_signature_is_refused_and_counted(partners: Partners, wrong: dict[str, str]) -> None:
    partners.secret("crm", SECRET)
    assert deliver(partners, wrong) == 401
    counters = partners.counters("crm")
    assert (counters["bad_signatures"], counters["accepted"]) == (1, 0)


def test_api_key_is_checked(partners: Partners) -> None:
    partners.api_key("crm", "right")
    address = f"{partners.url('crm')}/api/v1/leads"
    statuses = [
        requests.get(address, headers=headers, timeout=5).status_code
        for headers in ({}, {"X-API-Key": "wrong"}, {"X-API-Key": "right"})
    ]
    assert statuses == [401, 401, 200]
    assert partners.counters("crm")["bad_signatures"] == 2


def test_control_is_closed_to_other_sites(partners: Partners) -> None:
    cross = {"Sec-Fetch-Site": "cross-site"}
    assert requests.get(f"{partners.base}/_partners/", headers=cross, timeout=5).status_code == 403
