"""The JSON endpoints of the mappings."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.mappings.seed import seed

NEW = {"event_type": "lead.created", "target_system": "crm", "mapping": {"only": "name"}}

Call = Callable[..., Any]


@pytest.fixture
def call(app: Flask, client: FlaskClient, api_key: Callable[..., str]) -> Call:
    """`call("GET", "/api/…")` with a key that may read and write mappings, on a seeded hub."""
    with app.app_context():
        seed(now=1)
        key = api_key("mappings:*")
    return lambda method, path, json=None, text=None: client.open(
        path, method=method, json=json, data=text, headers={"X-API-Key": key}
    )


def test_the_list_has_the_mapping_in_force_for_each_pair(call: Call) -> None:
    call("POST", "/api/mappings", NEW)
    answer = call("GET", "/api/mappings?per_page=5")
    assert answer.status_code == 200
    assert answer.json["meta"] == {"current_page": 1, "last_page": 3, "per_page": 5, "total": 11}
    assert len(answer.json["data"]) == 5
    (one,) = call("GET", "/api/mappings?event_type=lead.created&target_system=crm").json["data"]
    assert (one["version"], one["mapping"]) == ("1.0.1", {"only": "name"})


def test_a_save_answers_with_the_new_version(call: Call) -> None:
    answer = call("POST", "/api/mappings", {**NEW, "note": "menos campos"})
    assert answer.status_code == 201
    data = answer.json["data"]
    assert (data["event_type"], data["target_system"]) == ("lead.created", "crm")
    assert (data["version"], data["note"]) == ("1.0.1", "menos campos")
    assert call("GET", "/api/mappings/lead.created/crm").json["data"] == data


def test_versions_and_their_diff(call: Call) -> None:
    call("POST", "/api/mappings", NEW)
    answer = call("GET", "/api/mappings/lead.created/crm/versions")
    assert [item["version"] for item in answer.json["data"]] == ["1.0.1", "1.0.0"]
    found = call("GET", "/api/mappings/lead.created/crm/diff?from=1.0.0&to=1.0.1").json["data"]
    assert (found["from"], found["to"]) == ("1.0.0", "1.0.1")
    assert found["diff"]["added"] == {"only": "name"}
    assert found["diff"]["removed"]["utm_source"] == "utm_source"


@pytest.mark.parametrize(
    ("extra", "transformed", "version"),
    [
        ({}, {"service_id": 3, "client_id": None, "caregiver_id": None}, "1.0.0"),
        ({"mapping": {"x": "id"}}, {"x": 3}, None),
        ({"target_system": "operacao"}, {"id": 3}, None),
    ],
)
def test_a_test_shows_what_a_payload_becomes(
    call: Call, extra: dict[str, Any], transformed: dict[str, Any], version: str | None
) -> None:
    trial = {"event_type": "service.completed", "target_system": "crm", "payload": {"id": 3}}
    answer = call("POST", "/api/mappings/test", {**trial, **extra})
    assert answer.status_code == 200
    data = answer.json["data"]
    assert data["original"] == {"id": 3}
    assert transformed.items() <= data["transformed"].items()
    assert data["mapping_version"] == version


def test_a_number_that_json_does_not_know_is_refused(call: Call) -> None:
    trial = {"event_type": "a.b", "target_system": "crm", "payload": {"id": [float("inf")]}}
    answer = call("POST", "/api/mappings/test", text=json.dumps(trial).replace("Infinity", "1e400"))
    assert answer.status_code == 422
    assert list(answer.json["details"]) == ["payload"]


def test_a_test_that_is_too_much_work_names_its_target(call: Call) -> None:
    document = {"id": "id", "all": {"type": "concat", "sources": ["a.*.*"] * 50}}
    trial = {**NEW, "mapping": document, "payload": {"a": [[]] * 200_000}}
    answer = call("POST", "/api/mappings/test", trial)
    assert answer.status_code == 422
    assert answer.json["details"] == {"all": ["lê e produz mais de 4 MiB com este evento"]}


def test_routes_are_read_and_set(call: Call) -> None:
    assert len(call("GET", "/api/routes").json["data"]) == 33
    wanted = {"event_type": "lead.created", "target_systems": ["crm", "site"]}
    expected = [
        {"event_type": "lead.created", "target_system": name, "active": active}
        for name, active in (("crm", True), ("marketing", False), ("site", True))
    ]
    assert call("PUT", "/api/routes", wanted).json == {"data": expected}
    assert call("GET", "/api/routes?event_type=lead.created").json == {"data": expected}


@pytest.mark.parametrize(
    ("method", "path", "json", "field"),
    [
        ("POST", "/api/mappings", {}, "event_type"),
        ("POST", "/api/mappings", {**NEW, "mapping": []}, "mapping"),
        ("POST", "/api/mappings", {**NEW, "mapping": {}}, "mapping"),
        ("POST", "/api/mappings", {**NEW, "mapping": {"a": {"type": "x"}}}, "mapping.a.type"),
        ("POST", "/api/mappings", {**NEW, "target_system": "erp"}, "target_system"),
        ("POST", "/api/mappings", {**NEW, "note": "x" * 501}, "note"),
        ("POST", "/api/mappings/test", {**NEW, "payload": 1, "mapping": {"a": ""}}, "mapping.a"),
        ("POST", "/api/mappings/test", NEW, "payload"),
        ("GET", "/api/mappings?per_page=0", None, "per_page"),
        ("GET", "/api/mappings/lead.created/crm/diff?to=1.0.0", None, "from"),
        ("GET", "/api/mappings/lead.created/crm/diff?from=%00&to=1.0.0", None, "from"),
        ("GET", "/api/mappings?event_type=%00", None, "event_type"),
        ("PUT", "/api/routes", {"event_type": "x", "target_systems": ["crm"]}, "event_type"),
        ("PUT", "/api/routes", {"event_type": "a.b", "target_systems": ["erp"]}, "target_system"),
    ],
)
def test_what_is_wrong_is_refused_by_its_field(
    call: Call, method: str, path: str, json: Any, field: str
) -> None:
    answer = call(method, path, json)
    assert answer.status_code == 422
    assert answer.json["error"] == "Validation failed"
    assert field in answer.json["details"]


@pytest.mark.parametrize(
    "path",
    [
        "lead.created/site",
        "lead.created/site/versions",
        "lead.created/crm/diff?from=1.0.0&to=9.9.9",
    ],
)
def test_what_does_not_exist_is_not_found(call: Call, path: str) -> None:
    answer = call("GET", f"/api/mappings/{path}")
    assert answer.status_code == 404
    assert answer.json["error"]


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/api/mappings", "events:read"),
        ("POST", "/api/mappings", "mappings:read"),
        ("POST", "/api/mappings/test", "events:read"),
        ("GET", "/api/mappings/lead.created/crm", "events:read"),
        ("GET", "/api/mappings/lead.created/crm/versions", "events:read"),
        ("GET", "/api/mappings/lead.created/crm/diff", "events:read"),
        ("GET", "/api/routes", "events:read"),
        ("PUT", "/api/routes", "mappings:read"),
    ],
)
def test_a_key_without_the_scope_is_refused(
    client: FlaskClient, api_key: Callable[..., str], method: str, path: str, scope: str
) -> None:
    assert client.open(path, method=method).status_code == 401
    answer = client.open(path, method=method, headers={"X-API-Key": api_key(scope)})
    assert answer.status_code == 403
    assert answer.json["error"] == "Insufficient permissions"
