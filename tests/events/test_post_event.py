"""POST /api/events: accepted, repeated, and each refusal."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

EVENT = {
    "event_type": "lead.created",
    "source_system": "site",
    "payload": {"name": "Zoë", "phone": "5511999990000", "tags": ["a", {"b": None}]},
}
Post = Callable[..., Any]


def test_an_event_is_accepted(post: Post, stored: Callable[[], list[Any]]) -> None:
    raw = json.dumps(EVENT, indent=1).encode()
    status, body = post(data=raw)
    assert status == 201
    data = body["data"]
    assert data.keys() == {"id", "event_type", "source_system", "status", "created_at"}
    assert (data["event_type"], data["source_system"]) == ("lead.created", "site")
    assert data["status"] == "pending"
    assert data["created_at"].endswith("Z")
    (row,) = stored()
    assert (row.id, row.raw, row.received_via) == (data["id"], raw, "api:Sistema X")
    assert json.loads(row.payload) == EVENT["payload"]
    assert row.verified


def test_without_a_key_equal_events_are_two(post: Post) -> None:
    assert post(json=EVENT).json["data"]["id"] != post(json=EVENT).json["data"]["id"]


@pytest.mark.parametrize("way", ["body", "header", "both"])
def test_a_repeat_gets_the_same_event(post: Post, way: str) -> None:
    event = EVENT | ({"idempotency_key": "k-1"} if way != "header" else {})
    headers = {"Idempotency-Key": "k-1"} if way != "body" else {}
    first, again = post(json=event, headers=headers), post(json=event, headers=headers)
    assert (first.status, again.status) == (201, 200)
    assert first.json == again.json


def test_key_order_and_white_space_make_no_other_event(post: Post) -> None:
    event = EVENT | {"idempotency_key": "k-1"}
    first = post(json=event)
    again = post(data=json.dumps(dict(reversed(event.items())), indent=4))
    assert (again.status, again.json) == (200, first.json)


def test_the_same_key_with_another_body_clashes(post: Post) -> None:
    post(json=EVENT | {"idempotency_key": "k-1"})
    status, body = post(json=EVENT | {"idempotency_key": "k-1", "payload": {}})
    assert status == 409
    assert body["error"] == "Idempotency key already used with another body"


def test_keys_belong_to_their_system(post: Post) -> None:
    first = post(json=EVENT | {"idempotency_key": "k-1"})
    other = post(json=EVENT | {"idempotency_key": "k-1", "source_system": "whatsapp"})
    assert (first.status, other.status) == (201, 201)


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "", "multipart/form-data"])
def test_any_content_type_will_do(post: Post, kind: str) -> None:
    assert post(data=json.dumps(EVENT), content_type=kind).status == 201


def test_curl_without_a_content_type_will_do(post: Post) -> None:
    kind = "application/x-www-form-urlencoded"
    assert post(data=json.dumps(EVENT), content_type=kind).status == 201


def test_further_fields_are_ignored(post: Post) -> None:
    assert post(json=EVENT | {"version": 2, "status": "done"}).json["data"]["status"] == "pending"


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"event_type": None}, "event_type"),
    ({"event_type": "lead"}, "event_type"),
    ({"event_type": "Lead.Created"}, "event_type"),
    ({"event_type": "lead.created\n"}, "event_type"),
    ({"event_type": "lead." + "x" * 90}, "event_type"),
    ({"event_type": 7}, "event_type"),
    ({"source_system": "erp"}, "source_system"),
    ({"source_system": ["site"]}, "source_system"),
    ({"payload": []}, "payload"),
    ({"payload": "text"}, "payload"),
    ({"payload": None}, "payload"),
    ({"idempotency_key": ""}, "idempotency_key"),
    ({"idempotency_key": "with space"}, "idempotency_key"),
    ({"idempotency_key": "é"}, "idempotency_key"),
    ({"idempotency_key": "x" * 201}, "idempotency_key"),
]


def test_a_wrong_field_is_named(post: Post, stored: Callable[[], list[Any]]) -> None:
    for changes, field in WRONG:
        status, body = post(json=EVENT | changes)
        assert (status, body["error"]) == (422, "Validation failed"), changes
        assert list(body["details"]) == [field]
        assert all(isinstance(text, str) for text in body["details"][field])
    assert stored() == []


def test_the_key_of_header_and_body_must_agree(post: Post) -> None:
    answer = post(json=EVENT | {"idempotency_key": "a"}, headers={"Idempotency-Key": "b"})
    assert (answer.status, list(answer.json["details"])) == (422, ["idempotency_key"])


def test_without_a_body_every_field_is_missing(post: Post) -> None:
    status, body = post()
    assert status == 422
    assert body["details"].keys() == {"event_type", "source_system", "payload"}


def nested(levels: int) -> bytes:
    return b'{"payload":' * levels + b"1" + b"}" * levels


HOSTILE = [
    b"{",
    b"not json",
    b"\xff\xfe",
    b"[]",
    b'"text"',
    b"7",
    b"NaN",
    nested(33),
    nested(5_000),
    b"[" * 100_000,
    json.dumps(EVENT | {"payload": {"a": "\0"}}).encode(),
    json.dumps(EVENT | {"payload": {"\0": 1}}).encode(),
    json.dumps(EVENT | {"payload": {"a": "\ud800"}}).encode(),
    json.dumps(EVENT).replace('"tags": [', '"tags": [1e999, ').encode(),
    json.dumps(EVENT).replace('"tags": [', '"tags": [' + "9" * 5000 + ", ").encode(),
    json.dumps(EVENT).replace("null", "NaN").encode(),
]


def test_hostile_bytes_are_refused(post: Post, stored: Callable[[], list[Any]]) -> None:
    for raw in HOSTILE:
        status, body = post(data=raw)
        assert (status, list(body["details"])) == (422, ["body"]), raw[:12]
    assert stored() == []


def test_the_deepest_allowed_nesting_is_kept(post: Post, stored: Callable[[], list[Any]]) -> None:
    document = EVENT | {"payload": json.loads(nested(31))}
    assert post(json=document).status == 201
    assert json.loads(stored()[0].payload) == json.loads(nested(31))


def test_more_than_a_megabyte_is_too_large(post: Post, stored: Callable[[], list[Any]]) -> None:
    status, body = post(json=EVENT | {"payload": {"text": "x" * 1_048_576}})
    assert status == 413
    assert body["error"]
    assert stored() == []


@pytest.mark.parametrize("path", ["/api/events", "/api/events/batch"])
def test_a_key_that_may_write_is_needed(
    client: FlaskClient, seeded_app: Flask, api_key: Callable[..., str], path: str
) -> None:
    assert client.post(path, json=EVENT).status_code == 401
    for scope, status in (("events:read", 403), ("dlq:*", 403), ("events:write", 201)):
        answer = client.post("/api/events", json=EVENT, headers={"X-API-Key": api_key(scope)})
        assert answer.status_code == status
