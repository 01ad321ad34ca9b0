"""The same run as JSON: begun, its steps settled, a button pressed, ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import clock
from app.systems.rules.breaker import OPEN
from tests.deliveries.hub import Hub

Send = Callable[..., tuple[int, Any]]


@pytest.fixture
def send(app: Any, app_context: None, client: FlaskClient, api_key: Callable[..., str]) -> Send:
    """`send("POST", "/procedimentos/…", {…})` with a key that may run procedures."""
    Hub(app).breaker(state=OPEN, failures=5, opened_at=clock.now())
    headers = {"X-API-Key": api_key("procedures:*", "overview:*", "breakers:*")}

    def send(method: str, path: str, body: Any = None) -> tuple[int, Any]:
        answer = client.open(path, method=method, json=body, headers=headers)
        return answer.status_code, answer.json

    return send


def test_from_the_beginning_to_the_end(send: Send) -> None:
    status, told = send("POST", "/procedimentos/breaker", {"subject": "crm"})
    run = told["data"]
    assert (status, run["subject"], run["outcome"]) == (201, "crm", "")
    first = run["steps"][0]
    assert {"key", "title", "state", "check", "facts", "actions", "said"} <= first.keys()
    here = f"/procedimentos/execucoes/{run['id']}"

    status, told = send("POST", f"{here}/passos/{first['key']}/done", {"note": "visto"})
    assert (status, told["data"]["steps"][0]["said"]["note"]) == (200, "visto")

    deed = f"{here}/acoes/breaker_reset"
    assert send("POST", deed, {"step": "reset", "system": "crm"})[0] == 422
    asked = {"step": "reset", "system": "crm", "confirmed": "1", "why": "voltou"}
    status, told = send("POST", deed, asked)
    assert (status, told["data"]["id"]) == (200, run["id"])
    assert send("GET", "/circuit-breakers")[1]["services"]["crm"]["state"] == "closed"

    listed = send("GET", "/procedimentos")[1]
    assert [one["id"] for one in listed["running"]] == [run["id"]]
    status, told = send("POST", f"{here}/encerrar", {"outcome": "escalated", "note": "ainda não"})
    assert (status, told["data"]["outcome"]) == (200, "escalated")
    assert send("GET", here)[1]["data"] == told["data"]


def test_a_button_needs_its_own_scope(
    send: Send, client: FlaskClient, api_key: Callable[..., str]
) -> None:
    run_id = send("POST", "/procedimentos/breaker", {"subject": "crm"})[1]["data"]["id"]
    asked = {"step": "reset", "system": "crm", "confirmed": "1", "why": "voltou"}
    path = f"/procedimentos/execucoes/{run_id}/acoes/breaker_reset"
    headers = {"X-API-Key": api_key("procedures:*")}
    assert client.post(path, json=asked, headers=headers).status_code == 403


def test_without_the_scope_nothing_is_begun(
    client: FlaskClient, api_key: Callable[..., str]
) -> None:
    headers = {"X-API-Key": api_key("overview:*")}
    assert client.post("/procedimentos/breaker", json={}, headers=headers).status_code == 403
