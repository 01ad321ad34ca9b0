"""A seeded hub, and doors with what they need to be knocked at."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.db import reading
from app.events.models import Event
from tests.partners.proofs import hex_signature

SECRET = "a secret that both sides know"


class Reply(NamedTuple):
    """Status and JSON of an answer."""

    status: int
    json: Any


@pytest.fixture
def post(seeded_app: Flask, client: FlaskClient, api_key: Callable[..., str]) -> Callable[..., Any]:
    """`post(json=… | data=…)` to /api/events with a key that may write events."""
    key = api_key("events:*")

    def post(path: str = "", **options: Any) -> Reply:
        headers = {"X-API-Key": key, **options.pop("headers", {})}
        answer = client.post(f"/api/events{path}", headers=headers, **options)
        return Reply(answer.status_code, answer.get_json())

    return post


@pytest.fixture
def get(seeded_app: Flask, client: FlaskClient, api_key: Callable[..., str]) -> Callable[..., Any]:
    """`get("?status=done")` below /api/events with a key that may read events."""
    key = api_key("events:read")

    def get(path: str = "") -> Reply:
        answer = client.get(f"/api/events{path}", headers={"X-API-Key": key})
        return Reply(answer.status_code, answer.get_json())

    return get


@pytest.fixture
def webhook(seeded_app: Flask, client: FlaskClient) -> Callable[..., Any]:
    """`webhook("site/lead", {…})` signed with SECRET unless `headers` say otherwise."""

    def webhook(
        path: str, document: Any, headers: dict[str, str] | None = None, **options: Any
    ) -> Reply:
        raw = document if isinstance(document, bytes) else json.dumps(document).encode()
        given = {"X-Webhook-Signature": hex_signature(SECRET, raw)} if headers is None else headers
        answer = client.post(f"/webhooks/{path}", data=raw, headers=given, **options)
        return Reply(answer.status_code, answer.get_json())

    return webhook


@pytest.fixture
def stored(app: Flask) -> Callable[[], list[Any]]:
    """Every event in the database, oldest first, with the payload as JSON."""

    def stored() -> list[Any]:
        with app.app_context(), reading() as c:
            return list(c.execute(select(Event.__table__).order_by(Event.id)))

    return stored
