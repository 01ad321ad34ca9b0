"""What every live part carries along: open incidents in the navigation, calls of one's level."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import clock
from app.runbook.actions import incidents
from app.runbook.actions.escalate import escalate
from tests.pages import BROWSER, HTMX
from tests.runbook.conftest import ANA

LIVE = ("/hoje", "/dashboard", "/alerts", "/sla", "/queues", "/incidentes", "/dlq", "/events")


def open_one(title: str = "CRM parado") -> int:
    now = clock.now()
    found, _ = incidents.open_incident(incidents.New(title, "high"), by=ANA, now=now)
    return found


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """The frame is not kept from one look to the next."""
    monkeypatch.setattr("app.monitoring.routes.page.KEPT_SECONDS", -1.0)


@pytest.mark.usefixtures("fresh", "app_context")
def test_open_incidents_are_counted(client: FlaskClient, login: Callable[..., Any]) -> None:
    login(client, 1)
    assert 'id="n-runbook-incidents" hidden>0' in squeeze(client.get("/hoje", headers=BROWSER).text)
    open_one()
    open_one("WhatsApp parado")
    assert 'id="n-runbook-incidents" >2' in squeeze(client.get("/hoje", headers=BROWSER).text)


@pytest.mark.usefixtures("fresh", "app_context")
@pytest.mark.parametrize("path", LIVE)
def test_a_call_reaches_pages_that_are_open(
    client: FlaskClient, login: Callable[..., Any], path: str
) -> None:
    login(client, 2)
    first = client.get(path, headers=HTMX)
    assert '<div id="calls" hx-swap-oob="outerMorph">' in first.text
    assert "Seu nível foi chamado" not in first.text
    made = open_one()
    escalate(made, "não resolvemos", by=ANA, now=clock.now())
    again = client.get(path, headers={**HTMX, "If-None-Match": first.headers["ETag"]})
    assert again.status_code == 200
    assert f'id="call-{made}"' in again.text


def squeeze(text: str) -> str:
    return " ".join(text.split())
