"""GET /api/events/{id}: the event with its deliveries, its retry, its dead letter, its way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, select, update

from app import clock
from app.db import reading, transaction
from app.deliveries.actions.conclude import Death, conclude
from app.deliveries.models import Attempt, Delivery
from app.events.actions import intake
from app.events.rules import new_event

Get = Callable[[Any], tuple[int, Any]]


@pytest.fixture
def get(seeded_app: Flask, client: FlaskClient, api_key: Callable[..., str]) -> Iterator[Get]:
    key = api_key("events:read", "personal_data:read")

    def get(event_id: Any) -> tuple[int, Any]:
        answer = client.get(f"/api/events/{event_id}", headers={"X-API-Key": key})
        return answer.status_code, answer.get_json()

    with seeded_app.app_context():
        yield get


def lead() -> int:
    event = new_event("lead.created", "site", {"name": "Ana"}, raw=b"{}", via="t", key="k")
    return intake.submit(event).id


def deliveries(event_id: int) -> dict[str, int]:
    """Ids of an event's deliveries by system."""
    with reading() as c:
        rows = c.execute(select(Delivery).where(Delivery.event_id == event_id))
        return {row.system: row.id for row in rows}


def attempt(delivery_id: int, **changes: Any) -> None:
    """Write that an attempt failed and the next one is due in an hour."""
    now = clock.now()
    values: dict[str, Any] = {
        "delivery_id": delivery_id,
        "number": 1,
        "url": "https://crm.example",
        "started_at": now,
        "latency_ms": 5,
        "outcome": "retry",
        "status": 503,
        "request_headers": '{"X-Event-ID": "1"}',
        "response_body": b"\xffaway",
    }
    with transaction() as tx:
        tx.connection.execute(insert(Attempt).values(values | changes))
        tx.connection.execute(
            update(Delivery)
            .where(Delivery.id == delivery_id)
            .values(attempts=1, due_at=now + clock.HOUR, last_error="503")
        )


def test_a_new_event_waits(get: Get) -> None:
    event_id = lead()
    status, body = get(event_id)
    data = body["data"]
    assert status == 200
    assert (data["id"], data["status"], data["payload"]) == (event_id, "pending", {"name": "Ana"})
    assert {each["system"]: each["status"] for each in data["deliveries"]} == {
        "crm": "pending",
        "marketing": "pending",
    }
    assert (data["retry"], data["dead_letter"], data["dead_letters"]) == (None, None, [])
    assert [step["kind"] for step in data["timeline"]] == ["received", "planned"]
    assert data["timeline"][1]["systems"] == ["crm", "marketing"]


def test_a_failed_attempt_shows_with_its_retry(get: Get) -> None:
    event_id = lead()
    crm = deliveries(event_id)["crm"]
    attempt(crm)
    data = get(event_id)[1]["data"]
    assert (data["retry"]["delivery_id"], data["retry"]["system"]) == (crm, "crm")
    assert data["retry"]["next_attempt_at"] > data["created_at"]
    (tried,) = next(each for each in data["deliveries"] if each["id"] == crm)["attempt_log"]
    assert (tried["status"], tried["response_body"]) == (503, "\ufffdaway")
    assert data["timeline"][-1]["kind"] == "attempt"


def test_an_end_shows_with_its_dead_letter(get: Get) -> None:
    event_id = lead()
    ids = deliveries(event_id)
    attempt(ids["crm"], outcome="dead", status=400)
    with transaction() as tx:
        death = Death(ids["crm"], 400, "http", "refused")
        conclude(tx, sent=[ids["marketing"]], deaths=[death], now=clock.now())
    data = get(event_id)[1]["data"]
    assert (data["status"], data["retry"]) == ("failed", None)
    assert (data["dead_letter"]["system"], data["dead_letter"]["reason"]) == ("crm", "refused")
    by_system = {each["system"]: each for each in data["deliveries"]}
    assert by_system["crm"]["dead_letter_id"] == data["dead_letter"]["id"]
    assert by_system["marketing"]["status"] == "sent"
    kinds = [step["kind"] for step in data["timeline"]]
    assert kinds[:3] == ["received", "planned", "attempt"]
    assert set(kinds[3:]) == {"died", "finished"}


def test_an_event_without_a_route_went_nowhere(get: Get) -> None:
    event = new_event("nobody.listens", "site", {}, raw=b"{}", via="t")
    data = get(intake.submit(event).id)[1]["data"]
    assert (data["status"], data["deliveries"]) == ("done", [])
    assert "nowhere" in [step["kind"] for step in data["timeline"]]


@pytest.mark.parametrize("event_id", [1_000_000, 9223372036854775808, "x", "-1", "1.5"])
def test_what_does_not_exist_is_not_found(get: Get, event_id: Any) -> None:
    status, body = get(event_id)
    assert status == 404
    assert body["error"]
