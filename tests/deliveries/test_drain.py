"""The engine against real partners over TCP: sends what is due, and waits for nobody."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from itertools import pairwise

import pytest
from sqlalchemy import text
from standardwebhooks.webhooks import Webhook

from app import clock, queues
from app.access.actor import SYSTEM
from app.db import db, transaction
from app.deliveries import jobs
from app.deliveries.actions import repair
from app.deliveries.actions.claim import SUSPECTS_AT_ONCE, claim
from app.deliveries.jobs.engine import Engine
from app.deliveries.models import Delivery
from app.queues import DEFAULT, HIGH, RETRY
from app.systems.actions.endpoints import rotate_secret
from app.systems.queries import snapshot
from tests.deliveries.drains import until, within_one
from tests.deliveries.hub import LEASE, LIMITS, Hub
from tests.partners.client import Partners

ALL_AT_ONCE = 20


@pytest.fixture
def environ(partners: Partners) -> dict[str, str]:
    return {
        **partners.environment(),
        "HUB_ALLOWED_NETWORKS": "127.0.0.0/8",
        "DELIVERY_TIMEOUT": "3",
        "DELIVERY_IN_FLIGHT": str(ALL_AT_ONCE),
    }


@pytest.fixture
def engine(hub: Hub) -> Iterator[Engine]:
    engine = Engine(hub.settings)
    yield engine
    engine.finish()


def _secret(hub: Hub, system: str) -> str:
    with db.engine.connect() as c:
        return snapshot.targets(c)[hub.endpoint(system)].secrets[0]


def test_delivers_once_with_the_right_signature(
    hub: Hub, engine: Engine, partners: Partners
) -> None:
    secret = _secret(hub, "crm")
    partners.secret("crm", secret)
    event = hub.event("lead.updated", {"name": "Maria"})
    assert engine.drain(HIGH) is False
    (request,) = partners.book("crm")
    (row,) = hub.of_event(event)
    assert (row.status, row.last_status) == ("sent", 200)
    assert request["path"] == "/api/v1/webhooks/events"
    headers = {name.lower(): value for name, value in request["headers"].items()}
    body = request["body"].encode()
    Webhook(secret).verify(body, headers, json_parse=False)
    assert headers["x-event-type"] == "lead.updated"
    assert headers["x-event-id"] == str(event)
    assert headers["x-source-system"] == "integracoes"
    assert json.loads(body)["name"] == "Maria"
    counters = partners.counters("crm")
    assert (counters["accepted"], counters["bad_signatures"]) == (1, 0)
    (attempt,) = hub.attempts(row.id)
    assert attempt.response_body == b'{"received":true}'
    stored = json.loads(attempt.request_headers)
    assert stored["webhook-id"] == headers["webhook-id"]
    assert headers["webhook-signature"] not in attempt.request_headers
    assert secret not in attempt.request_headers
    assert not engine.drain(HIGH)
    assert partners.counters("crm")["received"] == 1


def test_the_message_id_is_the_same_on_every_attempt(
    hub: Hub, engine: Engine, partners: Partners
) -> None:
    (id_,) = hub.deliveries("crm", 1)
    partners.mode("crm", "500", times=1)
    engine.drain(HIGH)
    assert hub.delivery(id_).queue == RETRY
    hub.change([id_], due_at=0)
    engine.drain(RETRY)
    first, second = partners.book("crm")
    assert first["webhook_id"] == second["webhook_id"] != ""
    assert [a.outcome for a in hub.attempts(id_)] == ["retry", "sent"]


def test_both_secrets_sign_while_one_is_replaced(
    hub: Hub, engine: Engine, partners: Partners
) -> None:
    old = _secret(hub, "crm")
    rotate_secret(hub.endpoint("crm"), by=SYSTEM, now=clock.now())
    (id_,) = hub.deliveries("crm", 1)
    engine.drain(HIGH)
    (request,) = partners.book("crm")
    headers = {name.lower(): value for name, value in request["headers"].items()}
    for secret in (old, _secret(hub, "crm")):
        Webhook(secret).verify(request["body"].encode(), headers, json_parse=False)
    assert hub.delivery(id_).status == "sent"


def test_a_hung_system_delays_nobody(hub: Hub, engine: Engine, partners: Partners) -> None:
    partners.mode("crm", "hang")
    hung = hub.deliveries("crm", ALL_AT_ONCE + 5)
    good = hub.deliveries("operacao", 3 * ALL_AT_ONCE)
    until(engine, lambda: hub.states(good) == {"sent"})
    assert hub.states(hung) == {"pending"}
    assert all(not hub.attempts(id_) for id_ in hung)
    # No more than its places; the others were never claimed.
    held = [id_ for id_ in hung if hub.delivery(id_).lease]
    assert len(held) == partners.counters("crm")["received"] == ALL_AT_ONCE
    partners.mode("crm", "ok")
    until(engine, lambda: all(hub.attempts(id_) for id_ in held))


def test_leaves_hung_requests_in_flight_and_comes_back_to_them(
    hub: Hub, engine: Engine, partners: Partners
) -> None:
    partners.mode("crm", "held")
    (id_,) = hub.deliveries("crm", 1)
    assert engine.drain(HIGH, 0.1) is True
    assert hub.delivery(id_).status == "pending"
    partners.mode("crm", "ok")
    until(engine, lambda: hub.delivery(id_).status == "sent")
    assert partners.counters("crm")["received"] == 1


def test_a_timeout_is_a_failed_attempt(hub: Hub, engine: Engine, partners: Partners) -> None:
    partners.mode("crm", "hang")
    (id_,) = hub.deliveries("crm", 1)
    until(engine, lambda: hub.attempts(id_))
    (attempt,) = hub.attempts(id_)
    assert (attempt.outcome, attempt.error_class) == ("retry", "timeout")
    assert hub.breaker().failures == 1


def test_honours_the_partners_retry_after(hub: Hub, engine: Engine, partners: Partners) -> None:
    partners.mode("crm", "429", retry_after="1800", times=1)
    (id_,) = hub.deliveries("crm", 1)
    engine.drain(HIGH)
    row = hub.delivery(id_)
    assert row.due_at == row.set_at + 1_800_000
    assert hub.breaker().failures == 0


def test_a_refusal_is_a_dead_letter_at_once(hub: Hub, engine: Engine, partners: Partners) -> None:
    partners.poison("crm", "venenoso", 422)
    bad = hub.event("lead.updated", {"name": "venenoso"})
    good = hub.event("lead.updated", {"name": "bom"})
    engine.drain(HIGH)
    assert hub.event_row(bad).status == "failed"
    assert hub.event_row(good).status == "done"
    (letter,) = hub.dead_letters()
    assert (letter.event_id, letter.status) == (bad, 422)


def test_an_endpoint_switched_off_since_gets_nothing(
    hub: Hub, engine: Engine, partners: Partners
) -> None:
    (id_,) = hub.deliveries("crm", 1)
    hub.endpoint("crm", status="inactive")
    engine.drain(HIGH)
    assert partners.counters("crm")["received"] == 0
    (letter,) = hub.dead_letters()
    assert (letter.delivery_id, letter.error_class) == (id_, "no_endpoint")
    assert hub.breaker().failures == 0


def test_an_endpoint_made_a_moment_ago_gets_its_messages(
    hub: Hub, engine: Engine, partners: Partners
) -> None:
    """Another process switched it on: the snapshot of this one does not know it yet."""
    crm = hub.endpoint("crm", status="inactive")
    (id_,) = hub.deliveries("operacao", 1)
    hub.change([id_], system="crm", endpoint_id=crm)
    with transaction() as tx:
        tx.connection.execute(text("UPDATE endpoints SET status = 'active' WHERE system = 'crm'"))
    engine.drain(HIGH)
    assert hub.delivery(id_).status == "sent"
    assert partners.counters("crm")["accepted"] == 1


def test_a_paused_system_gets_nothing(hub: Hub, engine: Engine, partners: Partners) -> None:
    hub.system("crm", paused=True)
    ids = hub.deliveries("crm", 3)
    assert engine.drain(HIGH) is False
    assert partners.counters("crm")["received"] == 0
    hub.system("crm", paused=False)
    engine.drain(HIGH)
    assert hub.states(ids) == {"sent"}


def test_five_failures_stop_the_sending(hub: Hub, engine: Engine, partners: Partners) -> None:
    partners.mode("crm", "503")
    hub.system("crm", in_flight_limit=1)
    ids = hub.deliveries("crm", 12)
    engine.drain(HIGH)
    assert partners.counters("crm")["received"] == 5
    assert hub.breaker().state == "open"
    assert sum(hub.delivery(id_).attempts for id_ in ids) == 5
    assert hub.dead_letters() == []


def test_closes_the_breaker_with_probes_and_sends_the_rest(
    hub: Hub, engine: Engine, partners: Partners
) -> None:
    ids = hub.deliveries("crm", 30)
    hub.breaker("crm", state="open", opened_at=clock.now() - 60_000)
    until(engine, lambda: hub.states(ids) == {"sent"})
    assert hub.moves()[-2:] == [("open", "half_open"), ("half_open", "closed")]
    assert partners.counters("crm")["repeated_ids"] == 0
    hub.consistent()


def test_outcomes_survive_a_database_that_is_away(
    hub: Hub, engine: Engine, partners: Partners
) -> None:
    ids = hub.deliveries("crm", 5)
    assert engine.drain(HIGH, 0) is True
    with transaction() as tx:
        tx.connection.execute(text("ALTER TABLE attempts RENAME TO attempts_away"))
    until(engine, lambda: partners.counters("crm")["accepted"] == 5)
    assert hub.states(ids) == {"pending"}
    with transaction() as tx:
        tx.connection.execute(text("ALTER TABLE attempts_away RENAME TO attempts"))
    until(engine, lambda: hub.states(ids) == {"sent"})
    assert partners.counters("crm")["received"] == 5
    assert all(len(hub.attempts(id_)) == 1 for id_ in ids)
    hub.consistent()


def test_a_database_that_is_away_is_not_hammered(
    hub: Hub, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    hub.system("crm", in_flight_limit=200)
    hub.deliveries("crm", 150)
    with transaction() as tx:
        tx.connection.execute(text("ALTER TABLE attempts RENAME TO attempts_away"))
    engine.drain(HIGH, 1.2)
    assert 1 <= sum("not written yet" in line for line in caplog.messages) <= 4
    with transaction() as tx:
        tx.connection.execute(text("ALTER TABLE attempts_away RENAME TO attempts"))


def test_an_outcome_no_database_takes_costs_its_neighbours_nothing(
    hub: Hub, engine: Engine, partners: Partners
) -> None:
    ids = hub.deliveries("crm", 4)
    hub.change(ids[:1], asked_by="x")
    with transaction() as tx:
        tx.connection.execute(
            text(
                "CREATE TRIGGER unfit BEFORE INSERT ON attempts WHEN NEW.asked_by = 'x' "
                "BEGIN SELECT RAISE(ABORT, 'unfit'); END"
            )
        )
    engine.drain(HIGH)
    assert [hub.delivery(id_).status for id_ in ids] == ["pending", "sent", "sent", "sent"]
    hub.consistent()


def test_a_message_that_cannot_be_made_ready_is_retried_then_dead(
    hub: Hub, engine: Engine, partners: Partners
) -> None:
    sealed = hub.rows_of("endpoints", "secret_sealed")
    (id_,) = hub.deliveries("crm", 1, attempts=4)
    hub.endpoint("crm", secret_sealed="")
    engine.drain(HIGH)
    (letter,) = hub.dead_letters()
    assert (letter.delivery_id, letter.error_class) == (id_, "internal")
    assert hub.breaker().failures == 0
    hub.restore("endpoints", "secret_sealed", sealed)
    others = hub.deliveries("crm", 2 * ALL_AT_ONCE)
    until(engine, lambda: hub.states(others) == {"sent"})


def test_a_secret_that_cannot_be_read_strands_nothing(
    hub: Hub, engine: Engine, partners: Partners
) -> None:
    sealed = hub.rows_of("endpoints", "secret_sealed")
    ids = hub.deliveries("crm", 2)
    hub.endpoint("operacao", secret_sealed="sealed with another key")
    assert engine.drain(HIGH, 0.2) is False
    assert all(hub.delivery(id_).lease is None for id_ in ids)
    hub.restore("endpoints", "secret_sealed", sealed)
    engine.drain(HIGH)
    assert hub.states(ids) == {"sent"}


def test_a_suspect_is_sent_with_nothing_beside_it(
    hub: Hub, engine: Engine, partners: Partners
) -> None:
    partners.mode("crm", "slow", ms=150)
    hub.deliveries("crm", 2, crashes=2, queue=DEFAULT)
    hub.deliveries("operacao", 3, queue=DEFAULT)
    until(engine, lambda: partners.counters("crm")["accepted"] == 2, DEFAULT)
    first = partners.book("crm")[0]["at"]
    assert all(request["at"] >= first + 150 for request in partners.book("operacao"))


def test_suspects_follow_each_other_in_one_drain(
    hub: Hub, engine: Engine, partners: Partners
) -> None:
    partners.mode("crm", "slow", ms=50)
    hub.deliveries("crm", 5, crashes=2, queue=DEFAULT)
    engine.drain(DEFAULT)
    times = [request["at"] for request in partners.book("crm")]
    assert len(times) == 5
    assert all(after >= before + 50 for before, after in pairwise(times))


def test_few_that_a_worker_died_with_are_in_flight_however_often_it_looks(
    hub: Hub, engine: Engine, partners: Partners
) -> None:
    systems = ("crm", "operacao")
    for system in systems:
        partners.mode(system, "held")
        hub.deliveries(system, SUSPECTS_AT_ONCE, crashes=1)
    for _ in range(3):
        engine.drain(HIGH, 0.06)
    assert sum(engine.flying.values()) == SUSPECTS_AT_ONCE
    for system in systems:
        partners.mode(system, "ok")
    ids = [row.id for row in hub.rows(Delivery)]
    until(engine, lambda: hub.states(ids) == {"sent"})


def test_stop_ends_the_drain_and_finish_writes_what_lands(hub: Hub, partners: Partners) -> None:
    engine = Engine(hub.settings)
    partners.mode("crm", "held")
    ids = hub.deliveries("crm", ALL_AT_ONCE)
    more = hub.deliveries("crm", 5)
    assert within_one(hub, engine, lambda: engine.flying["crm"] == ALL_AT_ONCE) is True
    engine.stop()
    partners.mode("crm", "ok")
    engine.finish()
    assert hub.states(ids) == {"sent"}
    assert hub.states(more) == {"pending"}
    assert all(hub.delivery(id_).lease is None for id_ in more)
    assert repair.free_expired(clock.now() + 60_000) == 0
    hub.consistent()


def test_the_wait_for_the_lock_does_not_come_off_the_lease(hub: Hub) -> None:
    (id_,) = hub.deliveries("crm", 1)
    held, given = threading.Event(), []

    def hold(number: int) -> None:
        if number:
            held.wait()
            claim(HIGH, {"crm": 1}, LIMITS, LEASE)
            return
        with transaction():
            held.set()
            threading.Event().wait(0.5)
            given.append(clock.now())

    hub.at_once(2, hold)
    assert hub.delivery(id_).due_at >= given[0] + LEASE


def test_finish_without_work_is_harmless(hub: Hub) -> None:
    Engine(hub.settings).finish()


def test_the_job_behind_the_bell_rings_again_while_there_is_more(
    hub: Hub, partners: Partners
) -> None:
    hub.deliveries("crm", 3)
    queues.ring(HIGH)
    hub.app.extensions["bell"].flush()
    queues.client().delete(f"rq:queue:{HIGH}")
    jobs.drain(HIGH)
    assert partners.counters("crm")["accepted"] == 3
    assert queues.client().exists(queues.bell_key(HIGH)) == 0
    jobs.engine().finish()
