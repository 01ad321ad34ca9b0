"""The systems answer as the contract says, and remember what they got."""

import time

import pytest
import requests

from tests.partners.client import Partners
from tests.partners.rows import digits

LEAD = {"name": "Ana Souza", "phone": "5511988887777", "source": "site"}


def test_it_works(partners: Partners) -> None:
    created = requests.post(f"{partners.url('crm')}/api/v1/leads", json=LEAD, timeout=5)
    assert created.status_code == 201
    assert partners.rows("crm", "leads") == [created.json()["data"]]


def test_every_system_answers_under_the_shared_port(partners: Partners) -> None:
    for system in partners.state()["systems"]:
        headers = {"Client-Token": "any"}
        address = f"{partners.base}/{system}/health"
        assert requests.get(address, headers=headers, timeout=5).json() == {"status": "ok"}
        assert partners.counters(system)["received"] == 1


@pytest.mark.parametrize(
    ("system", "path"),
    [("crm", "/api/v1/webhooks/events"), ("financeiro", "/api/webhooks/events")],
)
def test_book_holds_the_request(partners: Partners, system: str, path: str) -> None:
    before = time.time_ns() // 1_000_000
    headers = {"webhook-id": "msg_1", "X-Event-Type": "lead.created"}
    requests.post(partners.url(system) + path, data=b'{"a":1}', headers=headers, timeout=5)
    (entry,) = partners.book(system)
    shown = (entry["method"], entry["path"], entry["body"], entry["status"], entry["webhook_id"])
    assert shown == ("POST", path, '{"a":1}', 200, "msg_1")
    assert entry["headers"]["X-Event-Type"] == "lead.created"
    assert before <= entry["at"] <= time.time_ns() // 1_000_000


def test_messages_are_counted_by_id(partners: Partners) -> None:
    for message in ("a", "b", "a"):
        address = f"{partners.url('crm')}/api/v1/webhooks/events"
        requests.post(address, data=b"{}", headers={"webhook-id": message}, timeout=5)
    assert partners.messages("crm") == {"a": 2, "b": 1}
    counters = partners.counters("crm")
    assert (counters["distinct_ids"], counters["repeated_ids"]) == (2, 1)


def test_book_is_filtered_limited_and_cleared(partners: Partners) -> None:
    for path in ("/api/v1/leads", "/api/v1/deals", "/api/v1/leads"):
        requests.get(partners.url("crm") + path, timeout=5)
    assert len(partners.book("crm", path="leads")) == 2
    assert partners.book("crm", limit=2)[0]["path"] == "/api/v1/deals"
    partners.clear("crm")
    assert partners.book("crm") == []


def test_same_idempotency_key_writes_once(partners: Partners) -> None:
    address, body = (
        f"{partners.url('financeiro')}/api/invoices",
        {
            "client_id": 1,
            "items": [{"total": 10}],
            "due_date": "2025-01-01",
        },
    )
    answers = [
        requests.post(address, json=body, headers={"Idempotency-Key": key}, timeout=5).json()
        for key in ("k1", "k1", "k2")
    ]
    assert answers[0] == answers[1] != answers[2]
    assert len(partners.rows("financeiro", "invoices")) == 2


def test_refused_write_does_not_use_up_its_key(partners: Partners) -> None:
    address, headers = f"{partners.url('crm')}/api/v1/leads", {"Idempotency-Key": "k"}
    assert requests.post(address, json={}, headers=headers, timeout=5).status_code == 422
    assert requests.post(address, json=LEAD, headers=headers, timeout=5).status_code == 201


def test_lead_is_found_changed_and_advanced(partners: Partners) -> None:
    leads = f"{partners.url('crm')}/api/v1/leads"
    lead = requests.post(leads, json=LEAD, timeout=5).json()["data"]
    found = requests.get(leads, params={"phone": "11988887777"}, timeout=5).json()["data"]
    assert [one["id"] for one in found] == [lead["id"]]
    one = f"{leads}/{lead['id']}"
    changed = requests.put(one, json={"interaction_count": 1}, timeout=5).json()["data"]
    assert changed["interaction_count"] == 1
    advanced = requests.post(f"{one}/advance", json={}, timeout=5).json()["data"]
    assert advanced["stage"] == "contacted"
    said = requests.post(f"{one}/interactions", json={"body": "Oi"}, timeout=5)
    assert said.json()["data"]["lead_id"] == str(lead["id"])
    assert requests.get(leads, params={"phone": "1"}, timeout=5).json()["data"] == []


@pytest.mark.parametrize(
    ("system", "method", "path", "body", "status"),
    [
        ("crm", "POST", "/api/v1/deals", {"lead_id": 1}, 201),
        ("crm", "PUT", "/api/v1/leads/9", {}, 404),
        ("crm", "DELETE", "/api/v1/leads", {}, 405),
        ("crm", "GET", "/nothing", {}, 404),
        ("crm", "POST", "/api/v1/leads", [], 400),
        ("financeiro", "POST", "/api/clients", {"name": "Ana"}, 201),
        ("financeiro", "POST", "/api/invoices", {"client_id": 1}, 422),
        ("marketing", "GET", "/api/v1/campaigns/find?utm_campaign=melhor-idade", {}, 200),
        ("marketing", "GET", "/api/v1/campaigns/find?utm_campaign=none", {}, 404),
        ("marketing", "POST", "/api/v1/attribution", {"campaign_id": 1}, 201),
        ("atendimento", "POST", "/api/v1/conversations", {"phone": "55"}, 201),
        ("atendimento", "POST", "/api/v1/conversations/9/messages", {"body": "Oi"}, 404),
    ],
)
def test_endpoint_answers(
    partners: Partners, system: str, method: str, path: str, body: object, status: int
) -> None:
    answer = requests.request(method, partners.url(system) + path, json=body, timeout=5)
    assert answer.status_code == status


def test_price_has_its_additions(partners: Partners) -> None:
    asked = {"service_type": "cuidador_diurno", "duration_hours": 10, "is_night": True}
    address = f"{partners.url('financeiro')}/api/pricing/calculate"
    price = requests.post(address, json=asked, timeout=5).json()["data"]
    assert (price["unit_price"], price["total"]) == (38.4, 384.0)


def test_pending_items_leave_when_confirmed(partners: Partners) -> None:
    waiting = partners.seed(schedules=3, services=2, billing=2, caregivers=1)
    assert waiting == {"schedules": 3, "services": 2, "billing": 2, "caregivers": 1}
    crm = f"{partners.url('crm')}/api/v1"
    first = requests.get(f"{crm}/sync/pending-schedules", timeout=5).json()["data"][0]
    done = {"operacao_schedule_id": 7}
    for _ in range(2):
        confirmed = requests.post(f"{crm}/sync/confirm/{first['id']}", json=done, timeout=5)
        assert confirmed.json()["data"]["confirmation"] == done
    left = requests.get(f"{crm}/sync/pending-schedules", params={"per_page": 1}, timeout=5).json()
    assert (len(left["data"]), left["meta"]["total"]) == (1, 2)


def test_completed_services_are_billed(partners: Partners) -> None:
    partners.seed(services=2)
    services = f"{partners.url('operacao')}/api/v1/services"
    first, _ = requests.get(f"{services}/completed", timeout=5).json()["data"]
    billed = f"{services}/{first['id']}/billed"
    assert requests.put(billed, json={"invoice_id": 5}, timeout=5).status_code == 200
    again = requests.get(f"{services}/completed", timeout=5).json()["data"]
    assert [one["billed"] for one in again] == [True, False]
    old = {"start_date": "2001-01-01", "end_date": "2001-01-07"}
    assert requests.get(f"{services}/completed", params=old, timeout=5).json()["data"] == []


@pytest.mark.parametrize(
    ("phone", "bare"), [("(11) 98888-7777", "5511988887777"), ("5511988887777", "5511988887777")]
)
def test_phone_is_digits_with_country(phone: str, bare: str) -> None:
    assert digits(phone) == bare
