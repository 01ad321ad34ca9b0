"""All of a filter at once: the set is frozen, the work goes on in slices, nothing is done twice."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from sqlalchemy import event, update

from app import clock, queues
from app.access.actor import Actor
from app.access.models import AuditEntry
from app.db import db, reading, transaction
from app.deliveries import jobs
from app.deliveries.actions import bulk, dead_letters
from app.deliveries.actions.revive import NO_ENDPOINT, Moved
from app.deliveries.jobs.bulk import work_on_bulks
from app.deliveries.models import Bulk, DeadLetter, Delivery
from app.deliveries.queries.bulks import next_bulk, next_letters
from app.deliveries.queries.dead_letters import Narrow
from app.errors import Conflict, NotFound
from app.systems.models import Endpoint
from app.systems.queries import snapshot
from tests.deliveries.letters import check_counts, die, end, row, rows, take

ANA = Actor("user", 7, "Ana", 1)


@pytest.fixture(autouse=True)
def hub(seeded_app: Flask) -> Iterator[None]:
    with seeded_app.app_context():
        yield


def ask(action: str = "retry", limit: int | None = None, **wanted: Any) -> int:
    asked = bulk.ask(
        action, Narrow(**wanted), by=ANA, now=clock.now(), why="o CRM voltou", limit=limit
    )
    assert asked.id is not None
    return asked.id


def finish(bulk_id: int) -> Any:
    while bulk.run_slice(1):
        continue
    return row(Bulk, bulk_id)


def states() -> list[str]:
    return [letter.state for letter in rows(DeadLetter)]


@pytest.mark.usefixtures("any_database")
def test_all_of_a_filter_are_retried_and_counted() -> None:
    die("payment.failed", count=3)
    die("invoice.created", count=2)
    done = finish(ask(event_type="payment.failed"))
    assert (done.state, done.total, done.done, done.skipped) == ("done", 3, 3, 0)
    assert states() == ["retrying"] * 3 + ["open"] * 2
    assert done.finished_at
    assert {row(Delivery, one.id).asked_by for one in take(queues.RETRY)} == {"Ana"}
    check_counts()


@pytest.mark.usefixtures("any_database")
def test_archiving_goes_the_same_way() -> None:
    die(count=3)
    assert finish(ask("archive")).done == 3
    assert states() == ["archived"] * 3
    check_counts()


def test_one_audit_entry_with_who_why_and_how_many() -> None:
    die(count=3)
    finish(ask(system="crm"))
    (entry,) = [entry for entry in rows(AuditEntry) if entry.action.startswith("dlq.")]
    assert (entry.action, entry.actor_name, entry.why) == (
        "dlq.bulk_retry_asked",
        "Ana",
        "o CRM voltou",
    )
    told = json.loads(entry.after_json)
    assert (told["count"], json.loads(told["filter"])) == (3, {"system": "crm"})


def test_what_dies_after_the_question_stays() -> None:
    die(count=2)
    bulk_id = ask()
    die(count=2)
    assert finish(bulk_id).done == 2
    assert states() == ["retrying"] * 2 + ["open"] * 2


def test_what_was_not_on_the_page_stays() -> None:
    first, second = die(count=2)
    seen_at = row(DeadLetter, first).died_at
    with transaction() as tx:
        later = update(DeadLetter).where(DeadLetter.id == second)
        tx.connection.execute(later.values(died_at=seen_at + 1, changed_at=seen_at + 1))
    asked = bulk.ask("retry", Narrow(), by=ANA, now=clock.now() + 10, seen_at=seen_at)
    assert asked.total == 1


def test_what_changed_meanwhile_is_skipped() -> None:
    gone, back, _ = die(count=3)
    bulk_id = ask()
    later = clock.now() + 1_000
    dead_letters.archive(gone, by=ANA, why=None, now=later)
    dead_letters.archive(back, by=ANA, why=None, now=later)
    dead_letters.unarchive(back, by=ANA, why=None, now=later)
    done = finish(bulk_id)
    assert (done.total, done.done, done.skipped) == (3, 1, 2)
    assert states() == ["archived", "open", "retrying"]
    check_counts()


def test_what_cannot_be_sent_is_skipped() -> None:
    die(count=2)
    with transaction() as tx:
        tx.connection.execute(update(Endpoint).values(status="inactive"))
    snapshot.forget()
    done = finish(ask())
    assert (done.state, done.done, done.skipped) == ("done", 0, 2)
    assert json.loads(done.problems) == {NO_ENDPOINT: 2}
    assert states() == ["open"] * 2


def test_few_reasons_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    die(count=4)
    monkeypatch.setattr(bulk, "MOST_PROBLEMS", 2)
    monkeypatch.setattr(bulk, "BATCH", 3)

    def refuse(_tx: Any, ids: list[int], *_: Any) -> Moved:
        return Moved([], {id_: f"motivo {id_}" for id_ in ids})

    monkeypatch.setitem(bulk.ACTIONS, "retry", refuse)  # type: ignore[arg-type]
    done = finish(ask())
    assert json.loads(done.problems) == {"motivo 1": 1, "motivo 2": 1, bulk.OTHER: 2}


def test_a_limit_takes_the_oldest() -> None:
    die(count=5)
    done = finish(ask(limit=2))
    assert (done.total, done.done) == (2, 2)
    assert states() == ["retrying"] * 2 + ["open"] * 3


def test_nothing_to_do_makes_no_work() -> None:
    asked = bulk.ask("retry", Narrow(), by=ANA, now=clock.now())
    assert (asked.id, asked.total, rows(Bulk)) == (None, 0, [])


def test_cancelled_before_the_next_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    die(count=5)
    monkeypatch.setattr(bulk, "BATCH", 2)
    bulk_id = ask()
    assert bulk.run_slice(0)
    bulk.cancel(bulk_id, by=ANA, why="engano", now=clock.now())
    assert not bulk.run_slice(1)
    done = row(Bulk, bulk_id)
    assert (done.state, done.done, states().count("open")) == ("cancelled", 2, 3)
    bulk.cancel(bulk_id, by=ANA, now=clock.now())
    cancelled = [entry for entry in rows(AuditEntry) if entry.action == "dlq.bulk_cancelled"]
    assert [entry.why for entry in cancelled] == ["engano"]
    check_counts()


def test_what_is_done_cannot_be_cancelled() -> None:
    die()
    bulk_id = ask()
    finish(bulk_id)
    with pytest.raises(Conflict):
        bulk.cancel(bulk_id, by=ANA, now=clock.now())
    with pytest.raises(NotFound):
        bulk.cancel(99, by=ANA, now=clock.now())


@pytest.mark.usefixtures("any_database")
def test_it_resumes_where_a_killed_worker_left_it(monkeypatch: pytest.MonkeyPatch) -> None:
    die(count=5)
    monkeypatch.setattr(bulk, "BATCH", 2)
    bulk_id = ask()
    bulk.run_slice(0)
    assert (row(Bulk, bulk_id).state, row(Bulk, bulk_id).done) == ("running", 2)
    # Another process, which knows only the database.
    done = finish(bulk_id)
    assert (done.done, done.skipped) == (5, 0)
    assert {delivery.attempts for delivery in rows(Delivery)} == {1}


def test_of_two_workers_one_gets_the_batch() -> None:
    die(count=2)
    ask()
    with reading() as c:
        seen = next_bulk(c)
        letters = next_letters(c, seen, 10)
    assert seen is not None
    assert bulk.run_batch(seen, letters, 0, clock.now())
    assert not bulk.run_batch(seen, letters, 0, clock.now())
    assert finish(seen.id).done == 2


def test_a_letter_that_died_again_is_not_sent_by_the_bulk_once_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    die(count=2)
    monkeypatch.setattr(bulk, "BATCH", 1)
    bulk_id = ask()
    bulk.run_slice(0)
    end(take(queues.RETRY), 404, now=clock.now() + 1_000)
    assert finish(bulk_id).done == 2
    assert sorted(states()) == ["open", "retrying"]


def test_the_oldest_comes_first() -> None:
    die("payment.failed", count=2)
    die("invoice.created", count=2)
    first, second = ask(event_type="payment.failed"), ask(event_type="invoice.created")
    finish(second)
    assert row(Bulk, first).finished_at <= row(Bulk, second).finished_at
    assert states() == ["retrying"] * 4


def test_asking_rings_and_the_sweep_rings_again(seeded_app: Flask, redis: Redis) -> None:
    def rung() -> bool:
        seeded_app.extensions["bell"].flush()
        return bool(redis.llen(f"rq:queue:{queues.RETRY}"))

    die()
    bulk_id = ask()
    assert rung()
    redis.flushall()
    jobs.repair()
    assert rung()
    finish(bulk_id)
    take(queues.RETRY)
    # What was asked for up to here is rung before Redis forgets it.
    rung()
    redis.flushall()
    jobs.repair()
    assert not rung()


def test_a_slice_that_fails_keeps_nobody_from_sending() -> None:
    die()
    bulk_id = ask()
    with transaction() as tx:
        tx.connection.execute(update(Bulk).values(filter="{"))
    assert work_on_bulks() is False
    assert row(Bulk, bulk_id).state == "queued"


def test_over_json(client: FlaskClient, api_key: Callable[..., str]) -> None:
    die("payment.failed", count=3)
    headers = {"X-API-Key": api_key("dlq:*")}

    def post(path: str, json: Any = None) -> tuple[int, Any]:
        answer = client.post(f"/api/dlq{path}", json=json, headers=headers)
        return answer.status_code, answer.json

    status, told = post("/retry-all", {"limit": 2, "event_type": "payment.failed"})
    assert (status, told["count"]) == (202, 2)
    path = f"/bulks/{told['bulk_id']}"
    shown = client.get(f"/api/dlq{path}", headers=headers).json["data"]
    assert (shown["state"], shown["total"], shown["done"]) == ("queued", 2, 0)
    assert post(f"{path}/cancel")[1]["data"]["state"] == "cancelled"
    status, told = post("/archive-all", {"event_type": "nothing.here"})
    assert (status, told["bulk_id"], told["count"]) == (200, None, 0)
    assert post("/bulks/99/cancel")[0] == 404


def test_a_form_may_ask(client: FlaskClient, login: Callable[..., Any]) -> None:
    die("payment.failed", count=2)
    login(client, 1)
    form = {"event_type": "payment.failed", "limit": "", "status": "", "days": "", "from": ""}
    headers = {"Accept": "text/html"}
    answer = client.post("/api/dlq/retry-all", data=form, headers=headers)
    (made,) = rows(Bulk)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/dlq/lotes/{made.id}")
    assert (made.total, made.asked_by) == (2, "Ana")


@pytest.mark.parametrize(
    "body", [{"evnt_type": "payment.failed"}, {"state": "archived"}, {"limit": 0}, {"days": "x"}]
)
def test_a_misspelt_filter_does_not_mean_everything(
    client: FlaskClient, api_key: Callable[..., str], body: dict[str, Any]
) -> None:
    die()
    headers = {"X-API-Key": api_key("dlq:*")}
    answer = client.post("/api/dlq/retry-all", json=body, headers=headers)
    assert (answer.status_code, rows(Bulk)) == (422, [])
    assert list(answer.json["details"]) == list(body)


def test_a_batch_takes_as_many_statements_for_many_as_for_few(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In one minute, and with what is known of the systems still fresh."""
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now)
    monkeypatch.setattr(snapshot, "KEPT_SECONDS", 600.0)
    said: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *words: said.append(words[2]))
    counts = []
    for size in (2, 40):
        die(count=size)
        bulk_id = ask()
        said.clear()
        finish(bulk_id)
        counts.append(len(said))
        end(take(queues.RETRY))
    assert counts[0] == counts[1]
