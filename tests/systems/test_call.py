"""A call to a system: what arrives, and that no partner can hold, fool or misuse the hub."""

from __future__ import annotations

import ipaddress
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from app import clock
from app.systems.calls import Call, Client
from tests.partners.client import Partners

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
DEADLINE = 0.6


@pytest.fixture
def client() -> Client:
    return Client(LOOPBACK, 0.3, DEADLINE)


def leads(partners: Partners, method: str = "GET", body: bytes | None = None) -> Call:
    headers = {"X-API-Key": "k", "Content-Type": "application/json"}
    return Call(method, f"{partners.url('crm')}/api/v1/leads", headers, body)


def test_a_read_brings_the_answer(client: Client, partners: Partners) -> None:
    answer = client.send(leads(partners))
    assert (answer.status, answer.error_class) == (200, "")
    assert json.loads(answer.body)["data"] == []
    assert answer.headers["Content-Type"].startswith("application/json")


def test_a_write_carries_headers_and_body(client: Client, partners: Partners) -> None:
    answer = client.send(leads(partners, "POST", b'{"phone": "5511999990000"}'))
    assert answer.accepted
    (seen,) = partners.book("crm")
    assert seen["body"] == '{"phone": "5511999990000"}'
    assert seen["headers"]["X-API-Key"] == "k"
    assert seen["headers"]["User-Agent"] == "carinho-integracoes"


def test_connections_are_kept(client: Client, partners: Partners) -> None:
    call = leads(partners)
    client.send(call)
    started = clock.monotonic()
    assert all(client.send(call).accepted for _ in range(20))
    assert clock.monotonic() - started < 5


def test_threads_share_a_client(partners: Partners) -> None:
    client = Client(LOOPBACK, 10, 20)
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(client.send, [leads(partners)] * 100))
    assert all(answer.accepted for answer in answers)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("500", ""),
        ("422", ""),
        ("redirect", ""),
        ("refuse", "connect"),
        ("hang", "timeout"),
        ("drip", "timeout"),
        ("drip_body", "timeout"),
        ("endless", "too_large"),
        ("lost", "cut_off"),
        ("cut_status", "cut_off"),
        ("short_body", "cut_off"),
        ("cut_chunk", "cut_off"),
        ("huge_header", "protocol"),
        ("not_http", "protocol"),
    ],
)
def test_a_hostile_partner_is_an_answer_in_time(
    mode: str, expected: str, client: Client, partners: Partners
) -> None:
    partners.mode("crm", mode)
    started = clock.monotonic()
    answer = client.send(leads(partners))
    assert clock.monotonic() - started < DEADLINE + 1
    assert answer.error_class == expected
    assert not answer.accepted


def test_a_redirect_is_not_followed(client: Client, partners: Partners) -> None:
    partners.mode("crm", "redirect")
    assert client.send(leads(partners)).status == 307
    assert len(partners.book("crm")) == 1


def test_a_private_address_is_refused(partners: Partners) -> None:
    answer = Client((), 0.3, DEADLINE).send(leads(partners))
    assert answer.error_class == "blocked_address"
    assert partners.book("crm") == []


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("ftp://127.0.0.1/x", "invalid_url"),
        ("http://", "invalid_url"),
        ("http://no-such-host.invalid/", "dns"),
    ],
)
def test_an_unusable_url_is_an_answer(url: str, expected: str, client: Client) -> None:
    assert client.send(Call("GET", url)).error_class == expected


def test_the_environments_proxy_is_not_used(
    client: Client, partners: Partners, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert client.send(leads(partners)).accepted


def test_a_kept_connection_that_was_closed_is_replaced(client: Client, partners: Partners) -> None:
    assert client.send(leads(partners)).accepted
    partners.mode("crm", "refuse")
    partners.mode("crm", "ok")
    assert client.send(leads(partners)).accepted


def test_a_call_that_must_not_be_repeated_is_not(client: Client, partners: Partners) -> None:
    call = leads(partners, "POST", b'{"phone": "5511999990000"}')
    assert client.send(call).accepted
    partners.mode("crm", "lost", times=1)
    once = Call(call.method, call.url, call.headers, call.body, repeatable=False)
    assert client.send(once).error_class == "cut_off"
    assert len(partners.rows("crm", "leads")) == 2
