"""A hub in production behind the sample proxy: what the deployment promises, on real sockets."""

from __future__ import annotations

import re
import socket
import ssl
import warnings
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from tests.faults.proxy import NAME, Proxy
from tests.faults.running import RunningHub
from tests.house.running import free_port
from tests.partners.client import Partners

pytestmark = pytest.mark.faults

SLOW = 200
HALF_A_REQUEST = f"POST /api/events HTTP/1.1\r\nHost: {NAME}\r\nX-Slow: ".encode()


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def patience(port: int) -> dict[str, str]:
    """As in production; only the partners are on loopback."""
    return {
        "HUB_ENV": "production",
        "HUB_SECRET_KEY": "9f1c4b7e2a6d8053b1e7c4f0a2d6985c",
        "HUB_PUBLIC_URL": f"https://{NAME}:{port}",
        "HUB_TRUSTED_PROXIES": "1",
    }


@pytest.fixture
def proxy(running: RunningHub, port: int, tmp_path: Path) -> Iterator[Proxy]:
    # Ten seconds of the sample are two here: the rest of it is as it ships.
    changed = {"client_header_timeout 10s": "client_header_timeout 2s"}
    proxy = Proxy(tmp_path / "proxy", running.hub.port, port, **changed)
    yield proxy
    proxy.close()


@pytest.fixture
def web(proxy: Proxy) -> Iterator[requests.Session]:
    """A client that trusts the proxy's certificate and nothing of the environment."""
    with requests.Session() as session:
        session.trust_env = False
        session.verify = str(proxy.certificate)
        yield session


def test_everything_a_deployment_promises(
    running: RunningHub, proxy: Proxy, web: requests.Session, partners: Partners
) -> None:
    """One start for all of it: a hub of nine processes takes seconds to begin."""
    _an_event_comes_in_and_goes_out(running, proxy, web)
    _a_login_is_kept_by_a_cookie_of_this_host_alone(running, proxy, web)
    _plain_http_is_sent_to_tls(proxy, web)
    _another_name_gets_no_certificate(proxy)
    _old_protocols_are_refused(proxy)
    _slow_clients_are_let_go_and_hold_nobody_up(running, proxy, web)
    _a_hub_that_is_away_is_a_503_with_a_time(running, proxy, web)


def _an_event_comes_in_and_goes_out(
    running: RunningHub, proxy: Proxy, web: requests.Session
) -> None:
    """What its sender says of its own address is not believed."""
    event = {"event_type": "lead.updated", "source_system": "site", "payload": {"name": "Maria"}}
    headers = {**running.key, "X-Forwarded-For": "10.0.0.1", "X-Forwarded-Host": "evil.example"}
    answer = web.post(f"{proxy.url}/api/events", json=event, headers=headers, timeout=10)
    assert answer.status_code == 201, answer.text
    assert running.ask("SELECT DISTINCT address FROM api_key_uses") == [("127.0.0.1",)]
    assert answer.headers["Strict-Transport-Security"]
    running.delivered([int(answer.json()["data"]["id"])])


def _a_login_is_kept_by_a_cookie_of_this_host_alone(
    running: RunningHub, proxy: Proxy, web: requests.Session
) -> None:
    page = web.get(f"{proxy.url}/login", timeout=10)
    assert page.status_code == 200
    for cookie in page.headers["Set-Cookie"].split(", "):
        assert cookie.startswith("__Host-")
        assert {"Secure", "HttpOnly", "Path=/"} <= set(re.split(r"; ?", cookie))


def _plain_http_is_sent_to_tls(proxy: Proxy, web: requests.Session) -> None:
    url = f"http://{NAME}:{proxy.plain_port}/login"
    answer = web.get(url, allow_redirects=False, timeout=10)
    assert (answer.status_code, answer.headers["Location"]) == (308, f"{proxy.url}/login")


def _another_name_gets_no_certificate(proxy: Proxy) -> None:
    context = ssl.create_default_context(cafile=str(proxy.certificate))
    with (
        socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as plain,
        pytest.raises(ssl.SSLError, match=r"(?i)unrecognized.name"),
    ):
        context.wrap_socket(plain, server_hostname="other.example")


def _old_protocols_are_refused(proxy: Proxy) -> None:
    for version, accepted in (
        (ssl.TLSVersion.TLSv1_1, False),
        (ssl.TLSVersion.TLSv1_2, True),
        (ssl.TLSVersion.TLSv1_3, True),
    ):
        context = ssl.create_default_context(cafile=str(proxy.certificate))
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
            context.minimum_version, context.maximum_version = version, version
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as plain:
            try:
                with context.wrap_socket(plain, server_hostname=NAME) as tls:
                    spoken = bool(tls.version())
            except ssl.SSLError:
                spoken = False
        assert spoken is accepted, version


def _slow_clients_are_let_go_and_hold_nobody_up(
    running: RunningHub, proxy: Proxy, web: requests.Session
) -> None:
    context = ssl.create_default_context(cafile=str(proxy.certificate))
    with ExitStack() as stack:
        slow = []
        for _ in range(SLOW):
            plain = socket.create_connection(("127.0.0.1", proxy.port), timeout=10)
            slow.append(stack.enter_context(context.wrap_socket(plain, server_hostname=NAME)))
            slow[-1].sendall(HALF_A_REQUEST)
        assert web.get(f"{proxy.url}/health", timeout=5).status_code == 200
        # They are ended without a word, though they sent nothing more.
        assert {client.recv(100) for client in slow} == {b""}
        assert web.get(f"{proxy.url}/health", timeout=5).status_code == 200


def _a_hub_that_is_away_is_a_503_with_a_time(
    running: RunningHub, proxy: Proxy, web: requests.Session
) -> None:
    running.hub.clear_up()
    answer = web.get(f"{proxy.url}/api/events", timeout=10)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.json()["error"] == "Hub unavailable"
    assert answer.headers["Content-Type"] == "application/problem+json"
    page = web.get(f"{proxy.url}/", headers={"Accept": "text/html"}, timeout=10)
    assert page.status_code == 503 and "tente de novo" in page.text
