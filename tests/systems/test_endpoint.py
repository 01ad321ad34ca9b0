"""The JSON door of the endpoints: list, make, change, switch, rotate; each refusal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.access.models import AuditEntry
from app.clock import DAY
from app.db import reading
from app.systems.queries import snapshot
from app.systems.queries.snapshot import Target

Call = Callable[..., tuple[int, Any]]
URL = "https://site.carinho.com.vc/in"
NEW = {"system": "site", "url": URL, "description": "Formulário"}


@pytest.fixture
def made(call: Call) -> dict[str, Any]:
    """An endpoint of the site."""
    data: dict[str, Any] = call("POST", json=NEW)[1]["data"]
    return data


def target(endpoint_id: int) -> Target:
    with reading() as connection:
        return snapshot.targets(connection)[endpoint_id]


def audit() -> list[str]:
    with reading() as connection:
        wanted = AuditEntry.action.like("endpoint%")
        return list(connection.scalars(select(AuditEntry.action).where(wanted)))


def test_a_list_comes_in_pages(call: Call) -> None:
    status, body = call("GET", query_string={"per_page": 4})
    assert status == 200
    assert body["meta"] == {"current_page": 1, "last_page": 2, "per_page": 4, "total": 6}
    assert [each["system"] for each in body["data"]] == [
        "atendimento", "crm", "cuidadores", "financeiro"
    ]  # fmt: skip
    assert len(call("GET", query_string={"per_page": 4, "page": 2})[1]["data"]) == 2
    assert call("GET", query_string={"page": 9})[1]["data"] == []


def test_a_list_is_filtered(call: Call) -> None:
    assert call("GET", query_string={"system": "crm"})[1]["meta"]["total"] == 1
    empty = call("GET", query_string={"status": "inactive"})[1]
    assert empty["meta"] == {"current_page": 1, "last_page": 1, "per_page": 20, "total": 0}


@pytest.mark.parametrize("query", [{"per_page": 101}, {"per_page": 0}, {"page": 0}, {"page": "x"}])
def test_a_list_has_bounds(call: Call, query: dict[str, Any]) -> None:
    assert call("GET", query_string=query)[0] == 422


def test_an_endpoint_is_made_and_its_secret_told_once(call: Call) -> None:
    status, body = call("POST", json=NEW)
    assert status == 201
    data = body["data"]
    assert {name: data[name] for name in NEW} == NEW
    assert data["status"] == "active"
    assert data["secret"].startswith("whsec_")
    assert target(data["id"]).secrets == (data["secret"],)
    status, body = call("GET", f"/{data['id']}")
    assert status == 200
    assert body["data"] == {name: value for name, value in data.items() if name != "secret"}
    assert "secret" not in str(call("GET")[1]["data"]).replace("previous_secret_until", "")
    assert audit() == ["endpoint.created"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"system": "unknown"}, "system"),
        ({"system": None}, "system"),
        ({"url": ""}, "url"),
        ({"url": "ftp://x/"}, "url"),
        ({"url": "http://127.0.0.1/"}, "url"),
        ({"url": "http://[::ffff:10.0.0.1]/"}, "url"),
        ({"url": "http://2130706433/"}, "url"),
        ({"url": "https://user:pw@host.example/"}, "url"),
        ({"description": "x" * 201}, "description"),
    ],
)
def test_a_bad_endpoint_is_refused(call: Call, changes: dict[str, Any], field: str) -> None:
    status, body = call("POST", json={**NEW, **changes})
    assert status == 422
    assert body["error"] == "Validation failed"
    assert list(body["details"]) == [field]
    assert audit() == []


def test_the_same_url_twice_is_a_conflict(call: Call, made: dict[str, Any]) -> None:
    assert call("POST", json=NEW)[0] == 409
    assert call("POST", json={**NEW, "system": "documentos"})[0] == 201


def test_only_url_and_description_change(call: Call, made: dict[str, Any]) -> None:
    sent = {"url": URL + "/2", "description": "", "system": "crm", "status": "x", "id": 1}
    status, body = call("PUT", f"/{made['id']}", json=sent)
    assert status == 200
    changed = {"url": URL + "/2", "description": "", "updated_at": body["data"]["updated_at"]}
    assert body["data"] == {k: v for k, v in made.items() if k != "secret"} | changed
    assert target(made["id"]).url == URL + "/2"
    assert audit() == ["endpoint.created", "endpoint.updated"]


def test_nothing_given_changes_nothing(call: Call, made: dict[str, Any]) -> None:
    assert call("PUT", f"/{made['id']}", json={})[0] == 200
    assert call("PUT", f"/{made['id']}", json={"url": URL})[0] == 200
    assert audit() == ["endpoint.created"]


def test_a_bad_change_is_refused(call: Call, made: dict[str, Any]) -> None:
    path = f"/{made['id']}"
    assert call("PUT", path, json={"url": "http://169.254.169.254/"})[0] == 422
    assert call("POST", json={**NEW, "url": URL + "/2"})[0] == 201
    assert call("PUT", path, json={"url": URL + "/2"})[0] == 409


def test_an_endpoint_is_switched_off_and_on(call: Call, made: dict[str, Any]) -> None:
    path = f"/{made['id']}"
    for _ in range(2):
        assert call("POST", path + "/deactivate")[1]["data"]["status"] == "inactive"
    with reading() as connection:
        assert "site" not in snapshot.active_endpoints(connection)
    assert not target(made["id"]).active
    for _ in range(2):
        assert call("POST", path + "/activate")[1]["data"]["status"] == "active"
    with reading() as connection:
        assert snapshot.active_endpoints(connection)["site"] == (made["id"],)
    assert audit() == ["endpoint.created", "endpoint.deactivated", "endpoint.activated"]


def test_a_rotated_secret_leaves_the_old_one_a_day(call: Call, made: dict[str, Any]) -> None:
    status, body = call("POST", f"/{made['id']}/rotate-secret")
    assert status == 200
    secret = body["data"]["secret"]
    assert target(made["id"]).secrets == (secret, made["secret"])
    assert body["data"]["previous_secret_until"]
    again = call("POST", f"/{made['id']}/rotate-secret")[1]["data"]["secret"]
    assert target(made["id"]).secrets == (again, secret)


def test_after_the_day_only_the_new_secret_counts(
    call: Call, made: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = call("POST", f"/{made['id']}/rotate-secret")[1]["data"]["secret"]
    later = snapshot.clock.now() + DAY + 1
    monkeypatch.setattr(snapshot.clock, "now", lambda: later)
    snapshot.forget()
    assert target(made["id"]).secrets == (secret,)


@pytest.mark.parametrize("endpoint_id", [0, 999, 2**63 - 1, 2**63, 10**40])
@pytest.mark.parametrize(
    ("method", "action"),
    [("GET", ""), ("PUT", ""), ("POST", "/activate"), ("POST", "/deactivate"),
     ("POST", "/rotate-secret")],
)  # fmt: skip
def test_an_unknown_endpoint_is_not_found(
    call: Call, method: str, action: str, endpoint_id: int
) -> None:
    status, body = call(method, f"/{endpoint_id}{action}", json={"url": URL})
    # A number no row can have fits no route; the router then misses the method first.
    assert status == 404 or (endpoint_id >= 2**63 and status == 405)
    assert body["error"]


@pytest.mark.parametrize(
    ("scopes", "read", "write"),
    [(("endpoints:read",), 200, 403), (("endpoints:*",), 200, 422), (("events:*",), 403, 403)],
)
def test_a_key_needs_the_scope(
    seeded: Flask,
    client: FlaskClient,
    api_key: Callable[..., str],
    scopes: tuple[str, ...],
    read: int,
    write: int,
) -> None:
    headers = {"X-API-Key": api_key(*scopes)}
    assert client.get("/api/endpoints", headers=headers).status_code == read
    assert client.post("/api/endpoints", headers=headers, json={}).status_code == write


@pytest.mark.parametrize(("level", "read", "write"), [(1, 200, 403), (2, 200, 422)])
def test_a_person_needs_the_level(
    seeded: Flask,
    client: FlaskClient,
    login: Callable[..., Any],
    level: int,
    read: int,
    write: int,
) -> None:
    login(client, level)
    assert client.get("/api/endpoints").status_code == read
    assert client.post("/api/endpoints", json={}).status_code == write


def test_nobody_gets_nothing(seeded: Flask, client: FlaskClient) -> None:
    assert client.get("/api/endpoints").status_code == 401
    assert client.post("/api/endpoints", json=NEW).status_code == 401
