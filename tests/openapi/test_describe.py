"""The description of the API: every door is in it, and it is whole."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.openapi.queries import doors
from app.openapi.rules.document import document
from app.openapi.rules.words import AREAS, OPERATIONS
from tests.access.matrix import ROWS
from tests.pages import get, text_of


@pytest.fixture
def told(app: Flask) -> dict[str, Any]:
    return document(doors(app), "1")


def _operations(told: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in told["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def _expected() -> set[str]:
    """Doors for programs, from the table that is written by hand."""
    found = set()
    for row in ROWS:
        method, path, ability, *rest = row.split()
        outside = path.startswith(("/webhooks/", "/health"))
        if outside if ability == "open" else rest != ["-"]:
            found.add(f"{method} {path.replace('<', '{').replace('>', '}')}")
    return found


def test_every_door_for_programs_is_in_it(told: dict[str, Any]) -> None:
    assert {name for name, _ in _operations(told)} == _expected()


def test_every_door_is_told_in_portuguese(told: dict[str, Any]) -> None:
    untold = [name for name, operation in _operations(told) if not operation["summary"]]
    assert untold == [], "doors without a sentence in app/openapi/rules/words.py"
    assert OPERATIONS.keys() - _expected() == set(), "sentences without a door"
    assert {tag["name"] for tag in told["tags"]} <= set(AREAS.values())


def test_names_of_operations_are_unique(told: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, operation in _operations(told)]
    assert len(names) == len(set(names))


def test_every_reference_leads_somewhere(told: dict[str, Any]) -> None:
    for ref in re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(told)):
        place: Any = told
        for word in ref.split("/"):
            place = place[word]


def test_every_place_of_an_address_is_a_parameter(told: dict[str, Any]) -> None:
    for name, operation in _operations(told):
        places = set(re.findall(r"\{(\w+)\}", name))
        assert places == {row["name"] for row in operation["parameters"] if row["in"] == "path"}


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("POST /api/events", {"event_type", "source_system", "payload", "idempotency_key"}),
        ("POST /api/endpoints", {"system", "url", "description"}),
        ("POST /api/dlq/retry", {"ids", "why"}),
        ("POST /webhooks/site/lead", {"name", "phone", "email"}),
    ],
)
def test_bodies_are_described(told: dict[str, Any], name: str, fields: set[str]) -> None:
    body = dict(_operations(told))[name]["requestBody"]["content"]["application/json"]
    schema = told["components"]["schemas"][body["schema"]["$ref"].rpartition("/")[2]]
    assert schema["properties"].keys() == fields


def test_a_batch_is_a_list_or_an_object_with_one(told: dict[str, Any]) -> None:
    batch = told["components"]["schemas"]["events_api.create_many.Batch"]
    assert [option.get("type", "$ref") for option in batch["anyOf"]] == ["$ref", "array"]


def test_statuses_scopes_and_filters_are_told(told: dict[str, Any]) -> None:
    found = dict(_operations(told))
    assert {"200", "201", "401", "403", "409", "413", "422", "429", "503"} <= found[
        "POST /api/events"
    ]["responses"].keys()
    assert found["POST /api/sync/start"]["responses"].keys() >= {"202", "409"}
    assert found["DELETE /api/dlq/{letter_id}"]["x-scope"] == "dlq:write"
    assert found["GET /health"]["security"] == []
    assert {row["name"] for row in found["GET /api/events"]["parameters"]} >= {"page", "per_page"}


def test_a_search_that_leads_to_nothing_is_told(
    told: dict[str, Any], seeded_app: Flask, client: FlaskClient, login
) -> None:
    login(client, 1)
    answer = client.get("/events?q=0", follow_redirects=True)
    assert str(answer.status_code) == "404"
    assert "404" in told["paths"]["/events"]["get"]["responses"]
    assert "404" not in told["paths"]["/api/events"]["get"]["responses"]


def test_a_program_gets_it(client: FlaskClient, api_key, told: dict[str, Any]) -> None:
    answer = client.get("/api/openapi.json", headers={"X-API-Key": api_key("overview:read")})
    assert (answer.status_code, answer.json) == (200, json.loads(json.dumps(told)))
    assert answer.json["openapi"] == "3.1.0"


def test_a_person_reads_it_offline(seeded_app: Flask, client: FlaskClient, login) -> None:
    login(client, 1)
    page = get(client, "/api/docs")
    assert "Enviar um evento" in text_of(page)
    assert "event_type obrigatório" in text_of(page)
    assert not re.search(r"""(src|href)=["'](https?:)?//""", page)
