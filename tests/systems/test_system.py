"""The JSON door of the systems: read, pause, limit; each refusal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.access.models import AuditEntry
from app.db import reading
from app.systems.queries import snapshot
from app.systems.queries.snapshot import KnownSystem


@pytest.fixture
def call(
    seeded: Flask, client: FlaskClient, api_key: Callable[..., str]
) -> Callable[..., tuple[int, Any]]:
    """`call("GET", "/crm")` below /api/systems with a full key: status and JSON."""
    key = api_key("*")

    def call(method: str, path: str = "", **options: Any) -> tuple[int, Any]:
        url = f"/api/systems{path}"
        answer = client.open(url, method=method, headers={"X-API-Key": key}, **options)
        return answer.status_code, answer.get_json()

    return call


def crm() -> KnownSystem:
    with reading() as connection:
        return snapshot.system(connection, "crm")


def test_the_nine_systems_are_listed_without_secrets(call: Callable[..., Any]) -> None:
    status, body = call("GET")
    assert status == 200
    assert len(body["data"]) == 9
    assert set(body["data"][0]) == {
        "name", "label", "criticality", "sla_percent", "base_url", "in_flight_limit", "paused",
        "updated_at",
    }  # fmt: skip


def test_a_system_is_paused_and_resumed(call: Callable[..., Any]) -> None:
    assert call("PUT", "/crm", json={"paused": True})[1]["data"]["paused"] is True
    assert crm().paused
    assert call("PUT", "/crm", json={"in_flight_limit": 3})[1]["data"]["paused"] is True
    assert call("PUT", "/crm", json={"paused": False})[1]["data"]["paused"] is False
    assert not crm().paused
    with reading() as connection:
        actions = connection.scalars(select(AuditEntry.action)).all()
    assert actions.count("system.updated") == 3


def test_the_limit_falls_back_to_the_setting(call: Callable[..., Any]) -> None:
    usual = crm().in_flight
    call("PUT", "/crm", json={"in_flight_limit": 3})
    assert crm().in_flight == 3
    call("PUT", "/crm", json={"in_flight_limit": None})
    assert crm().in_flight == usual


def test_only_these_two_change(call: Callable[..., Any]) -> None:
    before = call("GET", "/crm")
    sent = {"base_url": "https://evil.example", "api_key_sealed": "x", "label": "x"}
    assert call("PUT", "/crm", json=sent) == before


@pytest.mark.parametrize("limit", [0, -1, 2001, "many"])
def test_a_limit_has_bounds(call: Callable[..., Any], limit: Any) -> None:
    assert call("PUT", "/crm", json={"in_flight_limit": limit})[0] == 422


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_an_unknown_system_is_not_found(call: Callable[..., Any], method: str) -> None:
    assert call(method, "/unknown", json={})[0] == 404


def test_level_one_reads_and_does_not_change(
    seeded: Flask, client: FlaskClient, login: Callable[..., Any]
) -> None:
    login(client, 1)
    assert client.get("/api/systems/crm").status_code == 200
    assert client.put("/api/systems/crm", json={"paused": True}).status_code == 403


def test_a_key_that_may_only_write_may_write(
    seeded: Flask, client: FlaskClient, api_key: Callable[..., str]
) -> None:
    headers = {"X-API-Key": api_key("systems:write")}
    answer = client.put("/api/systems/crm", json={"paused": True}, headers=headers)
    assert answer.status_code == 200
    assert client.get("/api/systems/crm", headers=headers).status_code == 403
