"""Record: what an attempt means for the delivery, its event, its dead letter and the breaker."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from app import clock
from app.db import transaction
from app.deliveries.actions.repair import free_expired
from app.deliveries.actions.revive import retry_dead_letters
from app.deliveries.models import Cause, Delivery
from app.deliveries.rules.retry import Policy
from app.queues import HIGH, RETRY
from tests.deliveries.hub import LEASE, Hub, tried

pytestmark = pytest.mark.usefixtures("any_database")

ONCE = Policy(max_attempts=1)


def test_sent(hub: Hub) -> None:
    now = clock.now()
    (id_,) = hub.deliveries("crm", 1)
    (row,) = hub.claim().rows
    assert hub.record(tried(row, 202, response_body=b"ok"), now=now + 50) == 1
    sent = hub.delivery(id_)
    assert (sent.status, sent.attempts, sent.lease, sent.finished_at) == ("sent", 1, None, now + 50)
    (attempt,) = hub.attempts(id_)
    assert (attempt.number, attempt.outcome, attempt.status) == (1, "sent", 202)
    assert (attempt.response_body, attempt.worker) == (b"ok", "test:1")
    assert json.loads(attempt.request_headers) == {"X-Event-Type": "lead.updated"}
    event = hub.event_row(sent.event_id)
    assert (event.status, event.open_count, event.finished_at) == ("done", 0, now + 50)
    assert hub.total("deliveries.sent") == hub.total("events.done") == 1
    assert hub.dead_letters() == []
    hub.consistent()


def test_retry(hub: Hub) -> None:
    now = clock.now()
    (id_,) = hub.deliveries("crm", 1)
    (row,) = hub.claim(now=now).rows
    hub.record(tried(row, 503), now=now)
    waits = hub.delivery(id_)
    assert (waits.status, waits.attempts, waits.queue, waits.lease) == ("pending", 1, RETRY, None)
    assert 48_000 <= waits.due_at - now <= 72_000
    assert waits.set_at == now
    assert waits.last_status == 503
    assert "HTTP 503" in waits.last_error
    assert hub.attempts(id_)[0].outcome == "retry"
    assert hub.event_row(waits.event_id).status == "processing"
    assert hub.total("deliveries.retried") == 1
    hub.consistent()


def test_what_failed_together_does_not_come_back_together(hub: Hub) -> None:
    now = clock.now()
    ids = hub.deliveries("crm", 96)
    hub.record(*(tried(row, 429) for row in hub.claim().rows), now=now)
    seconds = Counter((hub.delivery(id_).due_at - now) // 1000 for id_ in ids)
    # 60 s ± 20 % are 24 seconds: four of 96 in each, whatever the dice say, but for one that is
    # rounded over the edge of a second.
    assert set(range(48, 72)) <= set(seconds) <= set(range(48, 73))
    assert max(seconds.values()) <= 5


def test_dead(hub: Hub) -> None:
    now = clock.now()
    (id_,) = hub.deliveries("crm", 1)
    (row,) = hub.claim().rows
    hub.record(tried(row, 422), now=now + 9)
    dead = hub.delivery(id_)
    assert (dead.status, dead.attempts, dead.finished_at) == ("failed", 1, now + 9)
    (letter,) = hub.dead_letters()
    assert (letter.delivery_id, letter.state, letter.status) == (id_, "open", 422)
    assert (letter.error_class, letter.attempts, letter.deaths) == ("http_422", 1, 1)
    assert letter.reason == "os dados são inválidos (HTTP 422)"
    assert (letter.system, letter.source_system) == ("crm", "site")
    (cause,) = hub.rows(Cause)
    assert (cause.key, cause.message) == (letter.cause, "os dados são inválidos (HTTP #)")
    event = hub.event_row(dead.event_id)
    assert (event.status, event.failed_count, event.open_count) == ("failed", 1, 0)
    assert hub.gauges("dlq.cause") == {(letter.cause, "crm"): 1}
    assert hub.total("dlq.added") == hub.total("events.failed") == 1
    hub.consistent()


def test_dies_when_the_attempts_are_used_up(hub: Hub) -> None:
    (id_,) = hub.deliveries("crm", 1)
    now, queue = clock.now(), HIGH
    for number in range(1, 6):
        (row,) = hub.claim(queue, now).rows
        hub.record(tried(row, None, "connect"), now=now)
        hub.breaker("crm", state="closed", failures=0)
        assert hub.delivery(id_).status == ("failed" if number == 5 else "pending")
        now, queue = hub.delivery(id_).due_at, RETRY
    (letter,) = hub.dead_letters()
    assert letter.reason == "não aceitou a conexão (5 tentativas)"
    assert [a.number for a in hub.attempts(id_)] == [1, 2, 3, 4, 5]
    assert [a.outcome for a in hub.attempts(id_)] == ["retry"] * 4 + ["dead"]
    hub.consistent()


def test_a_new_allowance_counts_from_when_it_was_asked(hub: Hub) -> None:
    (id_,) = hub.deliveries("crm", 1, attempts=5, attempts_before=5, asked_by="Ana")
    (row,) = hub.claim().rows
    hub.record(tried(row, 500))
    assert hub.delivery(id_).status == "pending"
    (attempt,) = hub.attempts(id_)
    assert (attempt.number, attempt.asked_by) == (6, "Ana")


def test_the_partners_wish_is_heard(hub: Hub) -> None:
    now = clock.now()
    (id_,) = hub.deliveries("crm", 1)
    (row,) = hub.claim(now=now).rows
    hub.record(tried(row, 429, retry_after=600.0), now=now)
    assert hub.delivery(id_).due_at == now + 600_000
    assert hub.breaker().failures == 0


def test_writes_nothing_without_the_lease(hub: Hub) -> None:
    (id_,) = hub.deliveries("crm", 1)
    (row,) = hub.claim().rows
    hub.change([id_], lease="somebody else")
    assert hub.record(tried(row, 200)) == 0
    assert (hub.delivery(id_).status, hub.delivery(id_).attempts) == ("pending", 0)
    assert hub.attempts(id_) == []
    hub.consistent()


@pytest.mark.parametrize("status", ["sent", "failed"])
def test_writes_nothing_once_it_ended(hub: Hub, status: str) -> None:
    (id_,) = hub.deliveries("crm", 1)
    (row,) = hub.claim().rows
    hub.change([id_], status=status)
    assert hub.record(tried(row, 503)) == 0
    assert hub.delivery(id_).status == status


def test_a_batch_that_is_partly_ours(hub: Hub) -> None:
    ids = hub.deliveries("crm", 4)
    rows = {row.id: row for row in hub.claim().rows}
    hub.change(ids[:1], lease="somebody else")
    hub.change(ids[1:2], lease=None)
    tries = [
        tried(rows[id_], status) for id_, status in zip(ids, (200, 400, 200, 400), strict=True)
    ]
    assert hub.record(*tries) == 2
    assert [hub.delivery(id_).status for id_ in ids] == ["pending", "pending", "sent", "failed"]
    assert [len(hub.attempts(id_)) for id_ in ids] == [0, 0, 1, 1]
    assert len(hub.dead_letters()) == 1
    hub.consistent()


def test_two_leases_of_one_row_in_a_batch_count_once(hub: Hub) -> None:
    (id_,) = hub.deliveries("crm", 1)
    now = clock.now()
    (first,) = hub.claim(now=now).rows
    free_expired(now + LEASE)
    hub.change([id_], crashes=0)
    (second,) = hub.claim(now=now + LEASE).rows
    assert hub.record(tried(first, 503), tried(second, 503), now=now + LEASE) == 1
    assert hub.delivery(id_).attempts == 1
    hub.consistent()


def test_an_outcome_written_twice_counts_once(hub: Hub) -> None:
    (id_,) = hub.deliveries("crm", 1)
    (row,) = hub.claim().rows
    assert hub.record(tried(row, 200)) == 1
    assert hub.record(tried(row, 200)) == 0
    assert len(hub.attempts(id_)) == 1
    hub.consistent()


def test_two_workers_write_the_same_row_once(hub: Hub) -> None:
    (id_,) = hub.deliveries("crm", 1)
    (row,) = hub.claim().rows
    assert sorted(hub.at_once(4, lambda _: hub.record(tried(row, 200)))) == [0, 0, 0, 1]
    assert len(hub.attempts(id_)) == 1
    hub.consistent()


def _statuses(hub: Hub, event_id: int, *outcomes: int) -> list[str]:
    """States of an event of several deliveries, before and after each outcome."""
    seen = [hub.event_row(event_id).status]
    rows = sorted(hub.claim().rows)
    for row, status in zip(rows, outcomes, strict=True):
        hub.record(tried(row, status))
        seen.append(hub.event_row(event_id).status)
        hub.consistent()
    return seen


@pytest.mark.parametrize(
    ("outcomes", "states"),
    [
        ((200, 200), ["pending", "processing", "done"]),
        ((200, 400), ["pending", "processing", "failed"]),
        ((400, 200), ["pending", "processing", "failed"]),
        ((503, 200), ["pending", "processing", "processing"]),
        ((503, 400), ["pending", "processing", "processing"]),
    ],
)
def test_the_event_follows_its_deliveries(
    hub: Hub, outcomes: tuple[int, ...], states: list[str]
) -> None:
    event = hub.event("lead.created")
    assert _statuses(hub, event, *outcomes) == states


def test_a_whole_event_in_one_batch(hub: Hub) -> None:
    event = hub.event("service.scheduled")
    rows = sorted(hub.claim().rows)
    hub.record(
        *(tried(row, status) for row, status in zip(rows, (200, 503, 404, 200), strict=True))
    )
    stored = hub.event_row(event)
    assert (stored.status, stored.open_count, stored.failed_count) == ("processing", 1, 1)
    hub.consistent()


def test_workers_that_share_events_do_not_wait_for_each_other(hub: Hub) -> None:
    events = [hub.event("lead.created") for _ in range(12)]
    rows = hub.claim().rows
    # Each worker has one delivery of each event, sent and retried crosswise.
    shares: list[list[object]] = [[], []]
    for number, event in enumerate(events):
        mine, other = sorted(row for row in rows if row.event_id == event)
        shares[0].append(tried(mine, (200, 503)[number % 2]))
        shares[1].insert(0, tried(other, (503, 200)[number % 2]))
    assert hub.at_once(2, lambda n: hub.record(*shares[n])) == [12, 12]  # type: ignore[arg-type]
    hub.consistent()


def test_a_dead_letter_that_gets_through_is_resolved(hub: Hub) -> None:
    (id_,) = hub.deliveries("crm", 1)
    hub.record(tried(hub.claim().rows[0], 404))
    (letter,) = hub.dead_letters()
    with transaction() as tx:
        retry_dead_letters(tx, [letter.id], "Ana", clock.now())
    assert [row.state for row in hub.dead_letters()] == ["retrying"]
    hub.consistent()
    (row,) = hub.claim(RETRY, clock.now() + 1).rows
    hub.record(tried(row, 200))
    assert [row.state for row in hub.dead_letters()] == ["resolved"]
    assert hub.event_row(row.event_id).status == "done"
    assert hub.delivery(id_).status == "sent"
    hub.consistent()


def test_a_dead_letter_that_dies_again_is_open_again(hub: Hub) -> None:
    (id_,) = hub.deliveries("crm", 1)
    hub.record(tried(hub.claim().rows[0], 404))
    (first,) = hub.dead_letters()
    with transaction() as tx:
        retry_dead_letters(tx, [first.id], "Ana", clock.now())
    (row,) = hub.claim(RETRY, clock.now() + 1).rows
    hub.record(tried(row, 410))
    (letter,) = hub.dead_letters()
    assert (letter.id, letter.state, letter.deaths, letter.status) == (first.id, "open", 2, 410)
    assert (letter.attempts, letter.cause) != (1, first.cause)
    assert hub.event_row(row.event_id).status == "failed"
    assert len(hub.rows(Cause)) == 2
    assert [a.number for a in hub.attempts(id_)] == [1, 2]
    hub.consistent()


def test_deaths_of_one_cause_share_it(hub: Hub) -> None:
    hub.deliveries("crm", 3)
    hub.record(*(tried(row, 404) for row in hub.claim().rows))
    assert len({letter.cause for letter in hub.dead_letters()}) == 1
    assert len(hub.rows(Cause)) == 1
    assert list(hub.gauges("dlq.cause").values()) == [3]


def test_five_failures_open_the_breaker(hub: Hub) -> None:
    hub.fail("crm", 4)
    assert (hub.breaker().state, hub.breaker().failures) == ("closed", 4)
    hub.fail("crm", 1)
    assert hub.breaker().state == "open"
    assert hub.moves() == [("closed", "open")]
    assert hub.breaker("operacao").failures == 0


def test_success_forgets_the_failures(hub: Hub) -> None:
    hub.fail("crm", 4)
    hub.deliveries("crm", 1)
    hub.record(*(tried(row, 200) for row in hub.claim().rows))
    assert hub.breaker().failures == 0


def test_refusals_say_nothing_bad_of_a_system(hub: Hub) -> None:
    hub.deliveries("crm", 8)
    hub.record(*(tried(row, 400) for row in hub.claim().rows))
    assert (hub.breaker().state, hub.breaker().failures) == ("closed", 0)


def test_failures_counted_by_workers_at_once_are_all_counted(hub: Hub) -> None:
    hub.deliveries("crm", 4)
    rows = hub.claim().rows
    hub.at_once(4, lambda n: hub.record(tried(rows[n], 500)))
    assert hub.breaker().failures == 4


def _probe(hub: Hub, now: int, status: int | None, error: str = "") -> int:
    """Send a probe at `now` that ends like that a moment later; when it ended."""
    (row,) = [row for row in hub.claim(HIGH, now).rows if row.system == "crm"]
    assert row.probe
    hub.record(tried(row, status, error), now=now + 10)
    return now + 10


def test_two_probes_close_the_breaker_and_a_failure_opens_it(hub: Hub) -> None:
    hub.deliveries("crm", 9)
    now = clock.now()
    hub.breaker("crm", state="open", opened_at=now)
    now = _probe(hub, now + 60_000, 503)
    assert (hub.breaker().state, hub.breaker().opened_at) == ("open", now)
    now = _probe(hub, now + 60_000, 200)
    assert (hub.breaker().state, hub.breaker().successes) == ("half_open", 1)
    now = _probe(hub, now, 200)
    assert (hub.breaker().state, hub.breaker().closed_at) == ("closed", now)
    there, back = ("open", "half_open"), ("half_open", "open")
    assert hub.moves() == [("closed", "open"), there, back, there, ("half_open", "closed")]


def test_an_old_answer_does_not_move_an_open_breaker(hub: Hub) -> None:
    hub.deliveries("crm", 2)
    early, late = hub.claim().rows
    now = clock.now()
    hub.breaker("crm", state="open", opened_at=now)
    hub.record(tried(early, 503), tried(late, 200), now=now + 5)
    assert (hub.breaker().state, hub.breaker().opened_at) == ("open", now)


def test_a_probe_that_was_taken_over_says_nothing(hub: Hub) -> None:
    hub.deliveries("crm", 2)
    now = clock.now()
    hub.breaker("crm", state="open", opened_at=now - 60_000)
    (first,) = hub.claim(now=now).rows
    (second,) = hub.claim(now=now + LEASE).rows
    hub.record(tried(first, 503), now=now + LEASE + 1)
    assert (hub.breaker().state, hub.breaker().probe) == ("half_open", second.lease)


def test_the_body_stays_the_same_on_every_try(hub: Hub) -> None:
    (id_,) = hub.deliveries("crm", 1)
    (first,) = hub.claim().rows
    hub.record(tried(first, 503))
    (again,) = hub.claim(RETRY, hub.delivery(id_).due_at).rows
    assert (again.body, again.created_at) == (first.body, first.created_at)
    assert hub.count(Delivery) == 1
