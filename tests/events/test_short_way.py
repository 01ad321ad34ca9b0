"""The short way of POST /api/events answers as the long one does, and says yes only."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from app.access.actions.api_keys import generate_api_key, revoke_api_key
from app.access.actor import SYSTEM
from app.access.models import ApiKey
from app.db import transaction
from app.events.actions import intake
from app.web.shortcuts import Answer, shortcuts

EVENT = {"event_type": "lead.created", "source_system": "site", "payload": {"name": "Zoë"}}
DOOR = ("POST", "/api/events")
# Says what the guards would find out by themselves, and is looked at by them: the long way.
LONG = {"Origin": "http://localhost"}


@pytest.fixture
def taken(app: Flask) -> Iterator[list[bool]]:
    """Of each request whether it was answered the short way."""
    ways, seen = shortcuts(app).ways, []
    whole = ways[DOOR]

    def watched(request: Any) -> Answer | None:
        seen.append(False)
        answer = whole(request)
        seen[-1] = answer is not None
        return answer

    ways[DOOR] = watched
    yield seen
    ways[DOOR] = whole


@pytest.fixture
def key(seeded_app: Flask) -> str:
    """A key whose use has been noted."""
    with seeded_app.app_context():
        made = generate_api_key(SYSTEM, "Sistema X")
        seeded_app.test_client().post("/api/events", headers={"X-API-Key": made.key})
        return made.key


Post = Callable[..., Any]


@pytest.fixture
def post(client: FlaskClient, key: str) -> Post:
    def post(document: Any = EVENT, *, key: str = key, **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        raw = document if isinstance(document, bytes) else json.dumps(document).encode()
        return client.post("/api/events", data=raw, headers={"X-API-Key": key, **named})

    return post


def seen_of(answer: Any) -> tuple[int, list[tuple[str, str]], dict[str, Any]]:
    """Status, headers without what counts up, and the body without the number and the time."""
    skipped = ("Location", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Content-Length")
    headers = sorted(pair for pair in answer.headers if pair[0] not in skipped)
    data = {k: v for k, v in answer.get_json()["data"].items() if k not in ("id", "created_at")}
    return answer.status_code, headers, data


def test_both_ways_answer_alike(post: Post, taken: list[bool]) -> None:
    short, long = post(), post(**LONG)
    assert taken == [True]
    assert seen_of(short) == seen_of(long)
    assert short.status == long.status == "201 CREATED"
    assert short.headers["Location"] == f"/api/events/{short.get_json()['data']['id']}"
    assert int(short.headers["Content-Length"]) == len(short.data)
    left = [int(answer.headers["X-RateLimit-Remaining"]) for answer in (short, long)]
    assert left[0] - left[1] in (0, 1)


def test_both_ways_know_the_same_events(post: Post, taken: list[bool]) -> None:
    event = EVENT | {"idempotency_key": "k-1"}
    first, again = post(event), post(event, **LONG)
    assert (first.status_code, again.status_code) == (201, 200)
    assert post(event, Idempotency_Key="k-1").get_json() == again.get_json() == first.get_json()
    clash = [post(event | {"payload": {}}, **way) for way in ({}, LONG)]
    assert [each.status_code for each in clash] == [409, 409]
    assert clash[0].get_json() == clash[1].get_json()
    skipped = ("X-RateLimit-Remaining", "X-RateLimit-Reset")
    headers = [sorted(p for p in each.headers if p[0] not in skipped) for each in clash]
    assert headers[0] == headers[1]
    assert taken == [True, True, False]


REFUSED: list[tuple[Any, dict[str, str], int]] = [
    (b"{", {}, 422),
    ({}, {}, 422),
    (EVENT | {"payload": []}, {}, 422),
    (EVENT | {"idempotency_key": "a"}, {"Idempotency_Key": "b"}, 422),
    (EVENT, {"key": "nobody's"}, 401),
    (EVENT, {"Host": "evil.example"}, 403),
    (EVENT, {"Host": "localhost/evil"}, 403),
    (EVENT, {"Sec_Fetch_Site": "cross-site"}, 403),
    (EVENT, {"Origin": "https://evil.example"}, 403),
    (b" " * 1_048_577, {}, 413),
]


def test_what_is_refused_goes_the_long_way(post: Post, taken: list[bool]) -> None:
    for document, headers, status in REFUSED:
        assert post(document, **headers).status_code == status, (document, headers)
    assert True not in taken


def test_a_key_that_may_not_write_is_refused(
    post: Post, taken: list[bool], api_key: Callable[..., str]
) -> None:
    reader = api_key("events:read")
    assert [post(key=reader).status_code for _ in range(2)] == [403, 403]
    assert True not in taken


def test_a_revoked_key_is_refused_at_once(post: Post, app: Flask, taken: list[bool]) -> None:
    """Wherever it was revoked: the key that is remembered for a second is asked for again."""
    assert post().status_code == 201
    with app.app_context():
        revoke_api_key(SYSTEM, 1)
    answer = post()
    assert (answer.status_code, answer.get_json()["error"]) == (401, "Invalid API key")
    assert taken == [True, False]


def test_a_key_that_has_ended_is_refused_at_once(
    post: Post, app: Flask, stored: Callable[[], list[Any]]
) -> None:
    assert post().status_code == 201
    with app.app_context(), transaction() as tx:
        tx.connection.execute(update(ApiKey).values(expires_at=1))
    assert post().status_code == 401
    assert len(stored()) == 1


def test_a_database_that_is_away_is_told_once(
    post: Post, taken: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it was written is not known: the long way must not try it again."""
    tried = []

    def away(event: Any, key_id: int) -> Any:
        tried.append(key_id)
        raise OperationalError("INSERT", {}, Exception("database is locked"))

    post()
    monkeypatch.setattr(intake, "submit", away)
    answer = post()
    assert (answer.status_code, len(tried)) == (503, 1)
    assert answer.headers["Retry-After"]
    assert "X-RateLimit-Limit" in answer.headers


def test_the_bytes_are_kept(post: Post, stored: Callable[[], list[Any]], taken: list[bool]) -> None:
    raw = json.dumps(EVENT, indent=3).encode()
    post(raw)
    (row,) = stored()
    assert (row.raw, row.received_via, taken) == (raw, "api:Sistema X", [True])
    assert json.loads(row.payload) == EVENT["payload"]
