"""The headers of every answer: the policy word for word, no sniffing, no frame, no cache."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.access.test_matrix import _guarded
from tests.house.running import ROOT
from tests.pages import BROWSER

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "manifest-src 'self'"
)
PAGES = [path for method, path, *_ in _guarded() if method == "GET"]
OPEN = ["/login", "/health", "/feedback/none", "/nothing/here", "/static/nothing.js"]


def _check(headers: dict[str, str]) -> None:
    assert headers["Content-Security-Policy"] == POLICY
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Access-Control-Allow-Origin" not in headers


@pytest.mark.parametrize("accept", [BROWSER, {"Accept": "*/*"}], ids=["page", "json"])
def test_every_answer_carries_them(
    seeded_app: Flask, client: FlaskClient, login, accept: dict[str, str]
) -> None:
    login(client, 3)
    for path in [*PAGES, *OPEN]:
        answer = client.get(path, headers=accept, buffered=True)
        _check(dict(answer.headers))
        if not path.startswith("/static"):
            assert answer.headers["Cache-Control"] == "no-store", path


def test_an_accepted_event_carries_them(seeded_app: Flask, client: FlaskClient, api_key) -> None:
    """Its door has a short way, which passes the others by."""
    body = {"event_type": "lead.created", "source_system": "site", "payload": {}}
    answer = client.post("/api/events", json=body, headers={"X-API-Key": api_key("events:write")})
    assert answer.status_code == 201
    _check(dict(answer.headers))
    assert answer.headers["Cache-Control"] == "no-store"


def test_refusals_carry_them_too(client: FlaskClient) -> None:
    for answer in (
        client.get("/", headers={"Host": "evil.test"}),
        client.post("/login", headers={"Origin": "https://evil.test"}),
        client.post("/api/events", data=b"{" * 9),
        client.delete("/health"),
    ):
        assert answer.status_code >= 400
        _check(dict(answer.headers))


def test_no_page_needs_an_exception(seeded_app: Flask, client: FlaskClient, login) -> None:
    """No inline script, style or handler, nothing from elsewhere."""
    login(client, 3)
    inline = re.compile(
        r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+\s*=|hx-on|javascript:"
        r"|(?:src|action|formaction)\s*=\s*[\"']?\s*(?:https?:)?//",
        re.IGNORECASE,
    )
    for path in PAGES:
        answer = client.get(path, headers=BROWSER, buffered=True)
        if answer.mimetype == "text/html":
            assert not inline.search(answer.text), (path, inline.search(answer.text))


@pytest.mark.parametrize("path", sorted((ROOT / "templates").rglob("*.html")), ids=str)
def test_no_template_switches_escaping_off(path: Path) -> None:
    text = path.read_text()
    # `|safe` on markup made by one of our own macros would be the only exception; there is none.
    assert not re.search(r"\|\s*safe\b|autoescape\s+false|Markup\(", text)
