"""The stream of events into the hub; a second partner process plays the hub."""

import json
import random
from collections.abc import Iterator

import pytest
import requests

from tests.partners import happenings
from tests.partners.client import Partners
from tests.partners.proofs import hex_signature

SECRET = "segredo-do-site"


@pytest.fixture(scope="module")
def listening() -> Iterator[Partners]:
    """Somebody who writes everything down, in the place of the hub."""
    with Partners.start() as running:
        yield running


@pytest.fixture
def hub(listening: Partners) -> Partners:
    listening.reset()
    listening.mode("site", "200")
    return listening


def test_it_works(partners: Partners, hub: Partners) -> None:
    partners.point_to_hub(hub.url("site"), api_key="K", site=SECRET)
    assert partners.send_events(60) == [200] * 60
    seen = hub.book("site")
    paths = {entry["path"] for entry in seen}
    assert {"/api/events", "/webhooks/site/lead", "/webhooks/whatsapp"} <= paths
    lead = next(entry for entry in seen if entry["path"] == "/webhooks/site/lead")
    proof = hex_signature(SECRET, lead["body"].encode())
    assert lead["headers"]["X-Webhook-Signature"] == proof
    event = next(entry for entry in seen if entry["path"] == "/api/events")
    assert event["headers"]["X-API-Key"] == "K"
    assert {"event_type", "source_system", "payload"} <= set(json.loads(event["body"]))


def test_it_goes_on_by_itself(partners: Partners, hub: Partners) -> None:
    partners.point_to_hub(hub.url("site"), rate=100)
    assert partners.wait_for(lambda: hub.counters("site")["received"] >= 5)


def test_hub_that_is_away_is_counted(partners: Partners) -> None:
    partners.mode("site", "refuse")
    partners.point_to_hub(partners.url("site"))
    assert partners.send_events(2) == [0, 0]


def test_connection_is_told(partners: Partners, hub: Partners) -> None:
    partners.point_to_hub(hub.url("site"))
    partners.disconnect_whatsapp()
    partners.connect_whatsapp()
    partners.wait_for(lambda: hub.counters("site")["received"] == 2)
    found = hub.book("site")
    assert {json.loads(entry["body"])["type"] for entry in found} == {
        "DisconnectedCallback",
        "ConnectedCallback",
    }


def test_message_gets_its_ticks(partners: Partners, hub: Partners) -> None:
    partners.point_to_hub(hub.url("site"))
    address = f"{partners.url('whatsapp')}/instances/I/token/T/send-text"
    message = {"phone": "5511988887777", "message": "Olá"}
    headers = {"Client-Token": "C"}
    sent = requests.post(address, json=message, headers=headers, timeout=5).json()
    partners.wait_for(lambda: hub.counters("site")["received"] == 4)
    delivered, *ticks = [json.loads(entry["body"]) for entry in hub.book("site")]
    assert (delivered["type"], delivered["messageId"]) == ("DeliveryCallback", sent["messageId"])
    assert [(tick["ids"], tick["status"]) for tick in ticks] == [
        ([sent["messageId"]], status) for status in ("SENT", "RECEIVED", "READ")
    ]


def test_same_seed_same_events() -> None:
    one, other = (happenings.lead(random.Random(7), 1) for _ in range(2))
    assert one == other
