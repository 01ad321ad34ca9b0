"""A dead letter is sent again: what changes, what never does, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from sqlalchemy import delete, select, update

from app import clock, queues
from app.access.actor import SYSTEM, Actor
from app.access.models import AuditEntry
from app.db import reading, transaction
from app.deliveries.actions import dead_letters
from app.deliveries.actions.retry_event import retry_event
from app.deliveries.models import DeadLetter, Delivery
from app.deliveries.rules.retry import Policy
from app.errors import Conflict, NotFound
from app.events.models import Event
from app.mappings.actions import save_mapping
from app.mappings.models import Mapping, Route
from app.mappings.queries import forget_plan
from app.systems.actions.endpoints import create_endpoint
from app.systems.models import Endpoint
from app.systems.queries import snapshot
from tests.deliveries.letters import check_counts, die, end, post, row, rows, take

ANA = Actor("user", 7, "Ana", 1)


@pytest.fixture(autouse=True)
def hub(seeded_app: Flask) -> Iterator[None]:
    with seeded_app.app_context():
        forget_plan()
        snapshot.forget()
        yield


def set_endpoints(system: str, status: str) -> None:
    """Switch all endpoints of a system."""
    with transaction() as tx:
        tx.connection.execute(
            update(Endpoint).where(Endpoint.system == system).values(status=status)
        )
    snapshot.forget()


def send_waiting(status: int = 200) -> int:
    """Send what waits on the queue for retries; how many there were."""
    return end(take(queues.RETRY), status)


@pytest.mark.usefixtures("any_database")
def test_it_goes_out_once_more_and_is_resolved() -> None:
    (letter_id,) = die()
    event_id = dead_letters.retry(letter_id, by=ANA, why="o CRM voltou", now=clock.now())
    check_counts()
    delivery = row(Delivery, row(DeadLetter, letter_id).delivery_id)
    assert (delivery.status, delivery.queue, delivery.lease) == ("pending", queues.RETRY, None)
    assert (delivery.attempts, delivery.attempts_before) == (1, 1)
    assert (delivery.asked_by, delivery.finished_at) == ("Ana", None)
    assert row(Event, event_id).status == "processing"
    letter = row(DeadLetter, letter_id)
    assert (letter.state, letter.changed_by, letter.note) == ("retrying", "Ana", "o CRM voltou")
    assert send_waiting() == 1
    check_counts()
    assert row(DeadLetter, letter_id).state == "resolved"
    assert row(Event, event_id).status == "done"


def test_who_and_why_are_in_the_audit_trail() -> None:
    (letter_id,) = die()
    dead_letters.retry(letter_id, by=ANA, why="o CRM voltou", now=clock.now())
    (entry,) = [entry for entry in rows(AuditEntry) if entry.action == "dlq.retried"]
    assert (entry.actor_name, entry.why) == ("Ana", "o CRM voltou")
    assert entry.target == f"dead_letter:{letter_id}"
    assert json.loads(entry.after_json) == {"state": "retrying"}


def test_the_body_and_the_identifier_stay_the_same() -> None:
    (letter_id,) = die()
    before = row(Delivery, row(DeadLetter, letter_id).delivery_id)
    dead_letters.retry(letter_id, by=ANA, why=None, now=clock.now())
    (again,) = take(queues.RETRY)
    assert (again.id, again.body, again.created_at) == (before.id, before.body, before.created_at)


def test_a_second_click_does_nothing() -> None:
    (letter_id,) = die()
    first = dead_letters.retry(letter_id, by=ANA, why=None, now=clock.now())
    entries = len(rows(AuditEntry))
    before = rows(Delivery)
    assert dead_letters.retry(letter_id, by=ANA, why=None, now=clock.now()) == first
    assert (rows(Delivery), len(rows(AuditEntry))) == (before, entries)
    check_counts()


def test_it_dies_again_as_the_same_letter() -> None:
    (letter_id,) = die()
    dead_letters.retry(letter_id, by=ANA, why=None, now=clock.now())
    send_waiting(422)
    (letter,) = rows(DeadLetter)
    assert (letter.id, letter.state, letter.deaths, letter.status) == (letter_id, "open", 2, 422)
    assert letter.attempts == 2
    check_counts()


def test_only_the_system_that_refused_gets_it_again() -> None:
    (event_id,) = post("lead.created")
    claimed = take()
    end([one for one in claimed if one.system == "marketing"], 200)
    end([one for one in claimed if one.system == "crm"], 500)
    retry_event(event_id, by=ANA, why=None, now=clock.now())
    assert [one.system for one in take(queues.RETRY)] == ["crm"]
    assert take() == []
    check_counts()


def test_what_died_for_want_of_an_endpoint_stays_until_there_is_one() -> None:
    set_endpoints("crm", "inactive")
    (event_id,) = post("payment.failed", "financeiro")
    (letter,) = rows(DeadLetter)
    assert letter.error_class == "no_endpoint"
    with pytest.raises(Conflict, match="não há endereço ativo"):
        dead_letters.retry(letter.id, by=ANA, why=None, now=clock.now())
    assert row(DeadLetter, letter.id).state == "open"
    made = create_endpoint("crm", "https://crm2.carinho.com.vc/in", by=SYSTEM, now=clock.now())
    dead_letters.retry(letter.id, by=ANA, why=None, now=clock.now())
    (again,) = take(queues.RETRY)
    assert again.endpoint_id == made.id
    end([again])
    # It was never tried before: nothing but who asked tells that a letter belongs to it.
    assert row(DeadLetter, letter.id).state == "resolved"
    assert row(Event, event_id).status == "done"
    check_counts()


def test_what_died_of_its_mapping_is_mapped_with_todays() -> None:
    save_mapping("payment.failed", "crm", {"who": "name"}, by=SYSTEM, now=clock.now())
    with transaction() as tx:
        tx.connection.execute(update(Mapping).values(document="{"))
    forget_plan()
    post("payment.failed", "financeiro")
    (letter,) = rows(DeadLetter)
    assert letter.error_class == "mapping"
    with pytest.raises(Conflict):
        dead_letters.retry(letter.id, by=ANA, why=None, now=clock.now())
    save_mapping("payment.failed", "crm", {"you": "name"}, by=SYSTEM, now=clock.now())
    dead_letters.retry(letter.id, by=ANA, why=None, now=clock.now())
    (again,) = take(queues.RETRY)
    body = json.loads(again.body)
    assert (body["you"], body["_meta"]["event_id"]) == ("Ana", letter.event_id)
    assert row(Delivery, again.id).mapping_version == "1.0.1"
    check_counts()


def test_what_was_on_the_wire_keeps_its_body_whatever_the_mapping_is_now() -> None:
    (letter_id,) = die()
    save_mapping("payment.failed", "crm", {"who": "name"}, by=SYSTEM, now=clock.now())
    before = row(Delivery, row(DeadLetter, letter_id).delivery_id).body
    dead_letters.retry(letter_id, by=ANA, why=None, now=clock.now())
    assert take(queues.RETRY)[0].body == before


def test_a_route_that_is_gone_leaves_it_where_it_is() -> None:
    set_endpoints("crm", "inactive")
    post("payment.failed", "financeiro")
    with transaction() as tx:
        tx.connection.execute(delete(Route))
    forget_plan()
    set_endpoints("crm", "active")
    (letter,) = rows(DeadLetter)
    with pytest.raises(Conflict, match="não há rota"):
        dead_letters.retry(letter.id, by=ANA, why=None, now=clock.now())
    check_counts()


def test_an_endpoint_that_was_replaced_is_not_called_again() -> None:
    (letter_id,) = die()
    set_endpoints("crm", "inactive")
    made = create_endpoint("crm", "https://crm2.carinho.com.vc/in", by=SYSTEM, now=clock.now())
    dead_letters.retry(letter_id, by=ANA, why=None, now=clock.now())
    assert take(queues.RETRY)[0].endpoint_id == made.id


def test_an_endpoint_that_has_the_event_already_does_not_get_it_twice() -> None:
    second = create_endpoint("crm", "https://crm2.carinho.com.vc/in", by=SYSTEM, now=clock.now())
    post("payment.failed", "financeiro")
    claimed = take()
    end([one for one in claimed if one.endpoint_id == second.id], 200)
    end([one for one in claimed if one.endpoint_id != second.id], 404)
    (letter,) = rows(DeadLetter)
    with transaction() as tx:
        gone = update(Endpoint).where(Endpoint.system == "crm", Endpoint.id != second.id)
        tx.connection.execute(gone.values(status="inactive"))
    snapshot.forget()
    with pytest.raises(Conflict):
        dead_letters.retry(letter.id, by=ANA, why=None, now=clock.now())


@pytest.mark.parametrize(("state", "told"), [("archived", "arquivada"), ("resolved", "entregue")])
def test_other_states_are_refused(state: str, told: str) -> None:
    (letter_id,) = die()
    with transaction() as tx:
        tx.connection.execute(update(DeadLetter).values(state=state))
    with pytest.raises(Conflict, match=told):
        dead_letters.retry(letter_id, by=ANA, why=None, now=clock.now())


def test_an_unknown_letter_is_not_found() -> None:
    with pytest.raises(NotFound):
        dead_letters.retry(99, by=ANA, why=None, now=clock.now())


def test_a_selection_is_one_entry_and_tells_what_was_skipped() -> None:
    ids = die(count=3)
    dead_letters.archive(ids[0], by=ANA, why=None, now=clock.now())
    moved = dead_letters.retry_selection([*ids, 99], by=ANA, why="todas", now=clock.now())
    assert moved.done == ids[1:]
    assert set(moved.skipped) == {ids[0], 99}
    (entry,) = [e for e in rows(AuditEntry) if e.action == "dlq.selection_retried"]
    assert json.loads(entry.after_json) == {"count": 2, "ids": ids[1:]}
    assert dead_letters.retry_selection(ids, by=ANA, why=None, now=clock.now()).done == []
    assert len([e for e in rows(AuditEntry) if e.action == "dlq.selection_retried"]) == 1
    check_counts()


def test_an_event_hurries_what_waits_and_leaves_what_is_in_flight() -> None:
    (event_id,) = post("lead.created")
    claimed = take()
    end([one for one in claimed if one.system == "crm"], 500, Policy())
    assert take(queues.RETRY) == []
    done = retry_event(event_id, by=ANA, why="agora", now=clock.now())
    assert (done.revived, done.hurried) == (0, 1)
    assert [one.system for one in take(queues.RETRY)] == ["crm"]
    # Marketing's is still in a worker's hands, and now CRM's is too.
    assert retry_event(event_id, by=ANA, why=None, now=clock.now()).hurried == 0
    check_counts()


def test_an_event_that_could_not_be_planned_is_planned_again() -> None:
    (event_id,) = post("payment.failed", "financeiro")
    with transaction() as tx:
        tx.connection.execute(delete(Delivery))
        tx.connection.execute(update(Event).values(planned=False, plan_failures=3))
    assert retry_event(event_id, by=ANA, why=None, now=clock.now()).hurried == 1
    assert row(Event, event_id).plan_failures == 0


def test_an_event_that_is_done_or_unknown() -> None:
    (event_id,) = post("payment.failed", "financeiro")
    end(take(), 200)
    assert retry_event(event_id, by=ANA, why=None, now=clock.now()).revived == 0
    with reading() as c:
        assert (
            c.execute(select(AuditEntry.id).where(AuditEntry.action == "event.retried")).all() == []
        )
    with pytest.raises(NotFound):
        retry_event(99_999, by=ANA, why=None, now=clock.now())


def test_the_bell_of_the_retry_queue_rings(seeded_app: Flask, redis: Redis) -> None:
    (letter_id,) = die()
    redis.flushall()
    dead_letters.retry(letter_id, by=ANA, why=None, now=clock.now())
    seeded_app.extensions["bell"].flush()
    assert redis.llen(f"rq:queue:{queues.RETRY}") == 1


def test_over_json(client: FlaskClient, api_key: Callable[..., str]) -> None:
    first, second = die(count=2)
    headers = {"X-API-Key": api_key("dlq:*", "events:*")}
    event_id = row(DeadLetter, first).event_id
    answer = client.post(f"/api/dlq/{first}/retry", headers=headers)
    assert (answer.status_code, answer.json["event_id"]) == (200, event_id)
    assert "message" in answer.json
    assert client.post("/api/dlq/99/retry", headers=headers).status_code == 404
    client.post(f"/api/dlq/{second}/archive", headers=headers)
    refused = client.post(f"/api/dlq/{second}/retry", headers=headers)
    assert (refused.status_code, "arquivada" in refused.json["error"]) == (409, True)
    body = {"ids": [first, second], "why": "x"}
    moved = client.post("/api/dlq/retry", headers=headers, json=body).json
    assert (moved["done"], set(moved["skipped"])) == (0, {str(first), str(second)})


def test_an_event_over_json(client: FlaskClient, api_key: Callable[..., str]) -> None:
    (letter_id,) = die()
    event_id = row(DeadLetter, letter_id).event_id
    headers = {"X-API-Key": api_key("events:write")}
    answer = client.post(f"/api/events/{event_id}/retry", headers=headers)
    assert (answer.status_code, answer.json["event_id"], answer.json["deliveries"]) == (
        200,
        event_id,
        1,
    )
    assert client.post(f"/api/events/{event_id}/retry", headers=headers).status_code == 409
    assert client.post("/api/events/987654/retry", headers=headers).status_code == 404


@pytest.mark.parametrize("path", ["/api/dlq/1/retry", "/api/dlq/retry", "/api/dlq/retry-all"])
def test_a_key_that_only_reads_is_refused(
    client: FlaskClient, api_key: Callable[..., str], path: str
) -> None:
    assert client.post(path, headers={"X-API-Key": api_key("dlq:read")}).status_code == 403
    assert client.post(path).status_code == 401
