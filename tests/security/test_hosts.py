"""Where a request claims to come from and to go to: Host, forwarded headers, `next=`."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import config, create_app
from app.access.rules.local_path import local_path
from tests.access.cast import PASSWORD, Cast, email
from tests.pages import BROWSER

BAD_HOSTS = [
    "evil.test", "localhost.evil.test", "evil.test:80", "localhost@evil.test",
    "127.0.0.1.evil.test", "127.0.0.1#.evil.test", "[::1].evil.test", "[::1", "",
    "hub.example.evil.test", "xhub.example", "localhost\tevil.test", "2130706433", "0",
]  # fmt: skip


def test_an_unknown_host_is_refused(client: FlaskClient) -> None:
    for host in BAD_HOSTS:
        answer = client.get("/health", headers={"Host": host})
        assert (host, answer.status_code) in ((host, 400), (host, 403))
        assert "evil" not in answer.text


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8000", "[::1]:8000"])
def test_our_own_names_are_answered(client: FlaskClient, host: str) -> None:
    assert client.get("/health", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("name", ["X-Forwarded-Host", "X-Host", "Forwarded", "X-Original-Host"])
def test_no_other_header_names_the_host(client: FlaskClient, name: str) -> None:
    answer = client.get("/", headers={name: "host=evil.test", **BROWSER})
    assert "evil.test" not in answer.headers.get("Location", "") + answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "127.0.0.1"},
        {"X-Forwarded-For": "127.0.0.1, 127.0.0.1"},
        {"Forwarded": "for=127.0.0.1"},
        {"X-Real-IP": "127.0.0.1"},
        {"X-Client-IP": "127.0.0.1"},
        {"True-Client-IP": "127.0.0.1"},
        {"CF-Connecting-IP": "127.0.0.1"},
        {"X-Original-URL": "/status"},
        {"X-Rewrite-URL": "/status"},
    ],
    ids=lambda headers: next(iter(headers)),
)
def test_nobody_claims_to_be_near(client: FlaskClient, headers: dict[str, str]) -> None:
    far = {"REMOTE_ADDR": "203.0.113.5"}
    assert client.get("/status", headers=headers, environ_overrides=far).status_code == 401


def _behind(settings: config.Settings, hops: int) -> FlaskClient:
    networks = (ip_network("10.1.0.0/16"),)
    changed = settings.model_copy(update={"trusted_proxies": hops, "trusted_networks": networks})
    return create_app(changed).test_client()


@pytest.mark.parametrize(
    ("hops", "chain", "near"),
    [
        (1, "203.0.113.5", False),
        (1, "127.0.0.1, 203.0.113.5", False),
        (1, "203.0.113.5, 10.1.0.7", True),
        (2, "127.0.0.1, 203.0.113.5, 10.0.0.1", False),
        (2, "203.0.113.5, 10.1.0.7, 10.0.0.1", True),
        (2, "10.1.0.7", False),
        # X_Forwarded_For has the same name where the server hands it over, and may come last.
        (1, "127.0.0.1", False),
        (1, "::1", False),
    ],
)
def test_only_the_last_proxies_are_believed(
    settings: config.Settings, seeded_app: Flask, hops: int, chain: str, near: bool
) -> None:
    proxy = {"REMOTE_ADDR": "10.0.0.2"}
    answer = _behind(settings, hops).get(
        "/status", headers={"X-Forwarded-For": chain}, environ_overrides=proxy
    )
    assert (answer.status_code == 200) is near


ELSEWHERE = [
    "//evil.test", "///evil.test", "https://evil.test", "http:evil.test", "/\\evil.test",
    "\\\\evil.test", "/%09/evil.test", "/\t/evil.test", "/\n/evil.test", "javascript:alert(1)",
    "data:text/html,x", "https:///evil.test", "//evil.test/%2f..", "http://localhost@evil.test",
    "/..//evil.test", "https://localhost.evil.test", "\u2044\u2044evil.test", "//\u3002evil.test",
    "/;//evil.test", " //evil.test", "%2f%2fevil.test", "//[::1]evil", "http://[", "?x", "#x", "",
]  # fmt: skip


def test_the_rule_keeps_nothing_that_a_browser_reads_otherwise() -> None:
    """On its own: on the way to the browser the framework would escape some of it."""
    for to in ELSEWHERE:
        kept = local_path(to)
        assert kept.startswith("/"), to
        assert not kept.startswith("//"), to
        assert not set(kept) & set("\\\t\n\r "), to


def test_next_never_leads_away(app: Flask) -> None:
    Cast(app).person(1)
    for to in ELSEWHERE:
        place = _place_after_login(app.test_client(), to)
        assert place.startswith("/"), to
        assert not place.startswith(("//", "/\\")), to
        assert not any(ord(sign) < 33 for sign in place), to


def _place_after_login(client: FlaskClient, to: str) -> str:
    page = client.get("/login", query_string={"next": to}, headers=BROWSER)
    token = page.text.partition('name="csrf_token" value="')[2].partition('"')[0]
    form = {"csrf_token": token, "email": email(1), "password": PASSWORD, "next": to}
    answer = client.post("/login", data=form, headers=BROWSER)
    assert answer.status_code == 303
    return answer.headers["Location"]
