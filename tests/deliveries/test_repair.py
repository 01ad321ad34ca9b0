"""Repair: what dead workers, stepped clocks and failed plans left behind comes back by itself."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from app import clock, queues
from app.db import transaction
from app.deliveries import jobs
from app.deliveries.actions import repair
from app.deliveries.actions.claim import claim_alone
from app.deliveries.actions.plan import plan_pending
from app.deliveries.actions.revive import retry_dead_letters
from app.events.models import Event
from app.queues import DEFAULT, HIGH, RETRY
from tests.deliveries.hub import LEASE, Hub, tried

pytestmark = pytest.mark.usefixtures("any_database")


def _crash(hub: Hub, now: int) -> int:
    """Time passes with the lease in a dead worker's hand; when it is over."""
    assert repair.free_expired(now + LEASE - 1) == 0
    return now + LEASE


def test_an_expired_lease_is_due_again(hub: Hub) -> None:
    now = clock.now()
    (id_,) = hub.deliveries("crm", 1)
    hub.claim(now=now)
    then = _crash(hub, now)
    assert repair.free_expired(then) == 1
    row = hub.delivery(id_)
    assert (row.status, row.lease, row.due_at, row.crashes) == ("pending", None, then, 1)
    assert (row.attempts, row.queue) == (0, HIGH)
    (lost,) = hub.attempts(id_)
    assert (lost.outcome, lost.error_class, lost.latency_ms) == ("lost", "worker_lost", LEASE)
    assert [again.id for again in hub.claim(now=then).rows] == [id_]
    hub.consistent()


def test_a_lease_that_holds_is_left_alone(hub: Hub) -> None:
    hub.deliveries("crm", 3)
    rows = hub.claim().rows
    assert repair.free_expired(clock.now()) == 0
    assert hub.record(*(tried(row) for row in rows)) == 3


def test_the_late_worker_finds_its_lease_gone(hub: Hub) -> None:
    now = clock.now()
    (id_,) = hub.deliveries("crm", 1)
    (row,) = hub.claim(now=now).rows
    repair.free_expired(_crash(hub, now))
    assert hub.record(tried(row)) == 0
    assert [a.outcome for a in hub.attempts(id_)] == ["lost"]


def test_an_answer_that_came_clears_the_crashes(hub: Hub) -> None:
    now = clock.now()
    (id_,) = hub.deliveries("crm", 1)
    hub.claim(now=now)
    then = _crash(hub, now)
    repair.free_expired(then)
    hub.record(tried(hub.claim(now=then).rows[0], 503))
    assert hub.delivery(id_).crashes == 0


def test_the_second_crash_sets_the_row_apart_and_the_third_buries_it(hub: Hub) -> None:
    now = clock.now()
    (id_,) = hub.deliveries("crm", 1)
    for _ in range(2):
        assert [row.id for row in hub.claim(now=now).rows] == [id_]
        now = _crash(hub, now)
        repair.free_expired(now)
    assert hub.delivery(id_).queue == DEFAULT
    hub.consistent()
    row = claim_alone(DEFAULT, LEASE, now)
    assert row is not None
    now = _crash(hub, now)
    repair.free_expired(now)
    (letter,) = hub.dead_letters()
    assert (letter.delivery_id, letter.error_class, letter.state) == (id_, "crash", "open")
    assert "derrubou o processo três vezes" in letter.reason
    assert hub.delivery(id_).status == "failed"
    assert hub.event_row(row.event_id).status == "failed"
    assert [a.outcome for a in hub.attempts(id_)] == ["lost"] * 3
    hub.consistent()


def test_a_set_apart_row_that_gets_through_is_as_good_as_any(hub: Hub) -> None:
    now = clock.now()
    (id_,) = hub.deliveries("crm", 1, crashes=1)
    hub.claim(now=now)
    now = _crash(hub, now)
    repair.free_expired(now)
    row = claim_alone(DEFAULT, LEASE, now)
    assert row is not None
    hub.record(tried(row, 200), now=now)
    assert (hub.delivery(id_).status, hub.delivery(id_).crashes) == ("sent", 0)
    hub.consistent()


def test_a_dead_letter_of_crashes_can_be_retried(hub: Hub) -> None:
    now = clock.now()
    (id_,) = hub.deliveries("crm", 1, crashes=2, lease="dead", due_at=now)
    repair.free_expired(now)
    (letter,) = hub.dead_letters()
    with transaction() as tx:
        retry_dead_letters(tx, [letter.id], "Ana", now)
    assert [row.id for row in hub.claim(RETRY, now).rows] == [id_]


def test_two_schedulers_free_each_row_once(hub: Hub) -> None:
    now = clock.now()
    ids = hub.deliveries("crm", 20)
    hub.claim(now=now)
    then = _crash(hub, now)
    assert sum(hub.at_once(4, lambda _: repair.free_expired(then))) == 20
    assert all(len(hub.attempts(id_)) == 1 for id_ in ids)
    hub.consistent()


@pytest.mark.parametrize("queue", [HIGH, RETRY])
def test_what_a_stepped_clock_decided_is_due_now(hub: Hub, queue: str) -> None:
    now = clock.now()
    late = now + clock.HOUR
    (id_,) = hub.deliveries("crm", 1, queue=queue, set_at=late, due_at=late + clock.MINUTE)
    assert hub.claim(queue, now).rows == []
    assert repair.free_from_the_future(now) == 1
    assert [row.id for row in hub.claim(queue, now).rows] == [id_]


def test_a_lease_of_a_stepped_clock_is_over(hub: Hub) -> None:
    now = clock.now()
    (id_,) = hub.deliveries("crm", 1)
    hub.claim(now=now + clock.HOUR)
    repair.free_from_the_future(now)
    row = hub.delivery(id_)
    assert (row.lease, row.due_at, row.crashes) == (None, now, 0)


def test_healthy_skew_and_waiting_retries_are_left_alone(hub: Hub) -> None:
    now = clock.now()
    hub.deliveries("crm", 1, set_at=now + repair.SKEW, due_at=now + clock.HOUR)
    hub.deliveries("crm", 1, set_at=now, due_at=now + clock.HOUR)
    assert repair.free_from_the_future(now) == 0


def _unplan(hub: Hub) -> None:
    """The database forgets what is needed for a plan."""
    with transaction() as tx:
        tx.connection.execute(text("UPDATE endpoints SET secret_sealed = 'not sealed by us'"))
    hub.endpoint("crm")


def test_an_event_that_cannot_be_planned_is_accepted_and_waits(hub: Hub) -> None:
    sealed = hub.rows_of("endpoints", "secret_sealed")
    _unplan(hub)
    event = hub.event("lead.created")
    stored = hub.event_row(event)
    assert (stored.planned, stored.status) == (False, "pending")
    assert hub.of_event(event) == []
    assert repair.has_unplanned()
    for failures in range(1, 6):
        assert plan_pending() == 0
        assert hub.event_row(event).plan_failures == failures
    assert sum(hub.gauges("events.pending").values()) == 1
    hub.restore("endpoints", "secret_sealed", sealed)
    assert plan_pending() == 1
    assert [row.system for row in hub.of_event(event)] == ["crm", "marketing"]
    assert not repair.has_unplanned()
    hub.consistent()


def test_an_unplanned_event_is_planned_by_the_worker_for_it(hub: Hub) -> None:
    event = hub.event("no.route.yet")
    with transaction() as tx:
        row = Event.__table__.c
        tx.connection.execute(
            Event.__table__.update()  # type: ignore[attr-defined]
            .where(row.id == event)
            .values(planned=False, status="pending", event_type="lead.updated")
        )
    jobs.repair()
    hub.app.extensions["bell"].flush()
    assert queues.sizes()[DEFAULT] == 1
    assert plan_pending() == 1
    assert [row.system for row in hub.of_event(event)] == ["crm"]


def test_untried_events_are_planned_before_those_that_failed(hub: Hub) -> None:
    events = [hub.event("lead.updated") for _ in range(3)]
    with transaction() as tx:
        table = Event.__table__
        tx.connection.execute(table.update().values(planned=False))  # type: ignore[attr-defined]
        tx.connection.execute(
            table.update().where(table.c.id != events[2]).values(plan_failures=9)  # type: ignore[attr-defined]
        )
    assert plan_pending(limit=1) == 1
    assert [hub.event_row(event).planned for event in events] == [False, False, True]


def test_a_bell_that_got_lost_is_rung_again(hub: Hub) -> None:
    hub.deliveries("crm", 1)
    bell = hub.app.extensions["bell"]
    bell.flush()
    queues.client().flushall()
    jobs.ring_due()
    bell.flush()
    assert queues.sizes()[HIGH] == 1


def test_both_workers_that_send_suspects_are_rung_for(hub: Hub) -> None:
    (id_,) = hub.deliveries("crm", 1)
    hub.change([id_], lease="dead", due_at=clock.now() - 1, crashes=1)
    bell = hub.app.extensions["bell"]
    bell.flush()
    queues.client().flushall()
    assert repair.free_expired(clock.now()) == 1
    bell.flush()
    assert [queues.sizes()[queue] for queue in queues.CALM] == [1, 1]


def test_bells_do_not_pile_up(hub: Hub) -> None:
    client = queues.client()
    for _ in range(50):
        client.delete(queues.bell_key(HIGH))
        queues.push(client, HIGH, "app.deliveries.jobs.drain")
    assert queues.sizes()[HIGH] == queues.MOST_BELLS


def test_a_bell_marked_before_the_clock_of_redis_stepped_back_rings(hub: Hub) -> None:
    client = queues.client()
    client.set(queues.bell_key(HIGH), 1, px=3_600_000)
    assert queues.push(client, HIGH, "app.deliveries.jobs.drain")
    assert not queues.push(client, HIGH, "app.deliveries.jobs.drain")


@pytest.mark.parametrize("step", [clock.HOUR, -clock.HOUR])
def test_a_step_of_the_whole_machine_takes_nothing_from_living_workers(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    hub.deliveries("crm", 1)
    (held,) = hub.claim().rows
    wall, steady, passed = clock.wall, clock._steady, [0]
    monkeypatch.setattr(clock, "_steady", lambda: steady() + passed[0])
    monkeypatch.setattr(clock, "wall", lambda: wall() + passed[0])
    monkeypatch.setattr(clock, "hands", clock.Hands())
    monkeypatch.setattr(clock, "wall", lambda: wall() + passed[0] + step)
    # Doubted, believed, and until what was in flight then has landed in any case.
    grace = round(hub.settings.delivery_lease * 1000) + clock.BELIEVED_AFTER
    for moment in (0, clock.BELIEVED_AFTER, clock.BELIEVED_AFTER + grace - clock.SECOND):
        passed[0] = moment
        jobs.repair()
        assert hub.delivery(held.id).lease == held.lease
    assert hub.attempts(held.id) == []
    assert abs(clock.now() - clock.wall()) < clock.MINUTE
    # Now whoever holds it is dead.
    passed[0] = clock.BELIEVED_AFTER + grace + clock.SECOND
    jobs.repair()
    assert hub.delivery(held.id).lease is None
