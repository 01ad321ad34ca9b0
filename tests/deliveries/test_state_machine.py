"""Claim, lease, record, repair and breaker, in any order, while workers die and clocks step.

The model is small: who holds which row under which lease, how often each was tried. After every
step the database says the same; at the end everything that was accepted has ended.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import delete, func, select, update

from app import clock
from app.counters import Folded, Tally
from app.db import reading, transaction
from app.deliveries.actions.claim import Claimed, claim, claim_alone
from app.deliveries.actions.record import record
from app.deliveries.actions.repair import SKEW, free_expired, free_from_the_future
from app.deliveries.models import FAILED, PENDING, SENT, Attempt, DeadLetter, Delivery
from app.deliveries.rules.retry import WORST_CRASHES, Policy
from app.events.models import Event
from app.queues import DEFAULT, HIGH, RETRY
from app.systems.actions import breakers
from app.systems.models import BreakerMove, BreakerRow
from app.systems.rules.breaker import CLOSED, HALF_OPEN, OPEN, Breaker, Limits, may_probe
from tests.deliveries.letters import LEASE, check_counts, post, rows, tried

CRM = "crm"
LIMITS = Limits(failures=2, successes=2, timeout_ms=60_000)
POLICY = Policy(max_attempts=3, base_delay=10, max_delay=60)
QUEUES = (HIGH, RETRY, DEFAULT)
ANY_QUEUE = st.sampled_from((HIGH, HIGH, RETRY, RETRY, DEFAULT))
WORKERS = st.integers(0, 2)
ROUNDS = 60
LEGAL = {(CLOSED, OPEN), (OPEN, HALF_OPEN), (HALF_OPEN, OPEN), (HALF_OPEN, CLOSED)}


class Held(NamedTuple):
    """A lease as the model knows it: its token, its start and its end."""

    lease: str
    since: int
    until: int


class Story(RuleBasedStateMachine):
    """Three workers on one system, and a clock that nobody can trust."""

    def __init__(self) -> None:
        super().__init__()
        self.now = clock.now() + clock.MINUTE
        self.hands: list[list[Claimed]] = [[], [], []]
        self.held: dict[int, Held] = {}
        self.ended: dict[int, str] = {}
        self.tries: Counter[int] = Counter()
        self.crashes: Counter[int] = Counter()
        self.lost: Counter[int] = Counter()

    @initialize()
    def empty(self) -> None:
        with transaction(durable=False) as tx:
            for table in (Attempt, DeadLetter, Delivery, Event, Tally, Folded, BreakerMove):
                tx.connection.execute(delete(table))
            well = {n: getattr(Breaker(CRM), n) for n in breakers.COLUMNS if n != "system"}
            crm = update(BreakerRow).where(BreakerRow.system == CRM)
            tx.connection.execute(crm.values(**well))
        post("lead.updated", "site", 6)

    @rule(count=st.integers(1, 4))
    def accept(self, count: int) -> None:
        post("lead.updated", "site", count)

    @rule(ms=st.sampled_from([0, 100, 5_000, LEASE, 61_000]))
    def time_passes(self, ms: int) -> None:
        self.now += ms

    @rule(hours=st.sampled_from([-1, 1]))
    def the_clock_steps(self, hours: int) -> None:
        self.now += hours * clock.HOUR

    @rule(worker=WORKERS, queue=ANY_QUEUE, room=st.integers(1, 5))
    def claim(self, worker: int, queue: str, room: int) -> None:
        before = self.breaker()
        taken = claim(queue, {CRM: room}, LIMITS, LEASE, self.now).rows
        probes = [row for row in taken if row.probe]
        assert len(taken) - len(probes) <= (room if before.state == CLOSED else 0)
        assert len(probes) <= may_probe(before, LIMITS, LEASE, self.now)
        self.take(worker, taken)

    @rule(worker=WORKERS, queue=ANY_QUEUE)
    def claim_alone(self, worker: int, queue: str) -> None:
        row = claim_alone(queue, LEASE, self.now)
        assert row is None or self.crashes[row.id] == WORST_CRASHES - 1
        self.take(worker, [row] if row else [])

    @rule(worker=WORKERS, part=st.integers(1, 4), status=st.sampled_from([200, 200, 404, 503]))
    def record(self, worker: int, part: int, status: int) -> None:
        """Only what is still held under the same lease is written, and counts."""
        hand = self.hands[worker]
        done, self.hands[worker] = hand[:part], hand[part:]
        if not done:
            return
        ours = [row.id for row in done if self.holds(row)]
        told = [tried(row, status) for row in done]
        assert record(told, POLICY, LIMITS, f"w{worker}", self.now) == len(ours)
        for id_ in ours:
            self.write(id_, status)

    @rule(worker=WORKERS)
    def a_worker_dies(self, worker: int) -> None:
        self.hands[worker] = []

    @rule()
    def repair(self) -> None:
        over = [id_ for id_, held in self.held.items() if held.until <= self.now]
        assert free_expired(self.now) == len(over)
        for id_ in over:
            del self.held[id_]
            self.crashes[id_] += 1
            self.lost[id_] += 1
            if self.crashes[id_] >= WORST_CRASHES:
                self.ended[id_] = FAILED

    @rule()
    def repair_the_future(self) -> None:
        free_from_the_future(self.now)
        later = [id_ for id_, held in self.held.items() if held.since > self.now + SKEW]
        for id_ in later:
            del self.held[id_]

    @invariant()
    def the_database_says_the_same(self) -> None:
        for row in rows(Delivery):
            held = self.held.get(row.id)
            assert row.lease == (held.lease if held else None)
            assert row.status == self.ended.get(row.id, PENDING)
            assert (row.attempts, row.crashes) == (self.tries[row.id], self.crashes[row.id])
        with reading() as c:
            query = select(Attempt.delivery_id, func.count()).where(Attempt.outcome == "lost")
            lost = {row[0]: row[1] for row in c.execute(query.group_by(Attempt.delivery_id))}
        assert lost == +self.lost

    @invariant()
    def counts_are_exact(self) -> None:
        check_counts()

    @invariant()
    def the_breaker_is_in_order(self) -> None:
        breaker = self.breaker()
        assert breaker.probe is None or breaker.state == HALF_OPEN
        named = [id_ for id_, held in self.held.items() if held.lease == breaker.probe]
        assert breaker.probe is None or len(named) <= 1
        assert {(row.before, row.after) for row in rows(BreakerMove)} <= LEGAL

    def teardown(self) -> None:
        """All workers die, the system is well: everything comes to its end."""
        for _ in range(ROUNDS):
            self.now += clock.HOUR + LEASE
            self.repair_the_future()
            self.repair()
            for queue in QUEUES:
                self.claim_alone(0, queue)
                self.record(0, 1, 200)
                self.claim(0, queue, 5)
                self.record(0, 6, 200)
            if len(self.ended) == len(rows(Delivery)):
                break
        assert all(row.status != PENDING for row in rows(Delivery))
        assert len(rows(DeadLetter)) == sum(each == FAILED for each in self.ended.values())

    def breaker(self) -> Breaker:
        with reading() as c:
            return breakers.load(c, [CRM])[CRM]

    def take(self, worker: int, taken: list[Claimed]) -> None:
        """No row is ever held twice."""
        for row in taken:
            assert row.id not in self.held
            assert row.id not in self.ended
            self.held[row.id] = Held(row.lease, self.now, self.now + LEASE)
        self.hands[worker] += taken

    def holds(self, row: Claimed) -> bool:
        held = self.held.get(row.id)
        return held is not None and held.lease == row.lease

    def write(self, id_: int, status: int) -> None:
        del self.held[id_]
        self.tries[id_] += 1
        self.crashes[id_] = 0
        if status == 200:
            self.ended[id_] = SENT
        elif status == 404 or self.tries[id_] >= POLICY.max_attempts:
            self.ended[id_] = FAILED


@pytest.fixture
def hub(seeded_app: Flask) -> Iterator[None]:
    with seeded_app.app_context():
        yield


@pytest.mark.usefixtures("hub")
def test_every_story_ends_and_nothing_is_done_twice() -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Story,
        settings=settings(
            max_examples=12,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
