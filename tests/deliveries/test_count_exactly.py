"""Whatever happens in whatever order: gauges equal the rows, events and letters fit."""

from __future__ import annotations

from collections.abc import Iterator

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
from sqlalchemy import delete

from app import clock, counters, queues
from app.access.actor import Actor
from app.counters import Folded, Tally
from app.db import transaction
from app.deliveries.actions import bulk, dead_letters
from app.deliveries.actions.claim import Claimed
from app.deliveries.actions.repair import free_expired
from app.deliveries.actions.retry_event import retry_event
from app.deliveries.models import Attempt, Bulk, DeadLetter, Delivery
from app.deliveries.queries.dead_letters import Narrow
from app.deliveries.rules.retry import Policy
from app.errors import Conflict
from app.events.models import Event
from app.systems.models import Endpoint
from app.systems.queries import snapshot
from tests.deliveries.letters import LEASE, check_counts, end, post, rows, take

ANA = Actor("user", 7, "Ana", 1)
EVENTS = st.sampled_from(
    [("lead.created", "site"), ("payment.failed", "financeiro"), ("nobody.cares", "crm")]
)
STATUSES = st.sampled_from([200, 404, 500])
PICK = st.integers(0, 50)


class Story(RuleBasedStateMachine):
    """Accept, claim, end, lose, retry, archive: on one real database."""

    def __init__(self) -> None:
        super().__init__()
        self.held: list[Claimed] = []
        self.now = clock.now()

    @initialize()
    def empty(self) -> None:
        with transaction(durable=False) as tx:
            for table in (Bulk, Attempt, DeadLetter, Delivery, Event, Tally, Folded):
                tx.connection.execute(delete(table))
            tx.connection.execute(Endpoint.__table__.update().values(status="active"))
        snapshot.forget()

    @rule(event=EVENTS, count=st.integers(1, 3))
    def accept(self, event: tuple[str, str], count: int) -> None:
        post(*event, count)

    @rule(queue=st.sampled_from([queues.HIGH, queues.RETRY]), later=st.booleans())
    def claim(self, queue: str, later: bool) -> None:
        self.now += clock.HOUR if later else 1
        self.held += take(queue, self.now + clock.MINUTE)

    @rule(status=STATUSES, allowed=st.integers(1, 2), part=st.integers(1, 4))
    def record(self, status: int, allowed: int, part: int) -> None:
        ended, self.held = self.held[:part], self.held[part:]
        end(ended, status, Policy(max_attempts=allowed), self.now)

    @rule()
    def lose_the_worker(self) -> None:
        """Its rows come back by their lease; what it still tries to write is refused."""
        self.now += LEASE + 2 * clock.MINUTE
        free_expired(self.now)
        assert end(self.held, 200, now=self.now) == 0
        self.held = []

    @rule(pick=PICK)
    def retry(self, pick: int) -> None:
        self._do(dead_letters.retry, pick)

    @rule(pick=PICK)
    def archive(self, pick: int) -> None:
        self._do(dead_letters.archive, pick)

    @rule(pick=PICK)
    def unarchive(self, pick: int) -> None:
        self._do(dead_letters.unarchive, pick)

    @rule(action=st.sampled_from(["retry", "archive"]), limit=st.sampled_from([None, 2]))
    def do_all(self, action: str, limit: int | None) -> None:
        self.now += 1
        asked = bulk.ask(action, Narrow(), by=ANA, now=self.now, limit=limit)
        while bulk.run_slice(1):
            continue
        if asked.id:
            (done,) = [b for b in rows(Bulk) if b.id == asked.id]
            assert (done.state, done.done + done.skipped) == ("done", asked.total)

    @rule(pick=PICK)
    def retry_event(self, pick: int) -> None:
        if events := rows(Event):
            retry_event(events[pick % len(events)].id, by=ANA, why=None, now=self.now)

    @rule(status=st.sampled_from(["active", "inactive"]))
    def switch_crm(self, status: str) -> None:
        with transaction(durable=False) as tx:
            crm = Endpoint.__table__.update().where(Endpoint.__table__.c.system == "crm")
            tx.connection.execute(crm.values(status=status))
        snapshot.forget()

    @rule()
    def fold(self) -> None:
        with transaction(durable=False) as tx:
            counters.fold(tx)

    @invariant()
    def counts_are_exact(self) -> None:
        check_counts()

    def _do(self, deed: object, pick: int) -> None:
        if letters := rows(DeadLetter):
            self.now += 1
            try:
                deed(letters[pick % len(letters)].id, by=ANA, why="x", now=self.now)  # type: ignore[operator]
            except Conflict:
                return


@pytest.fixture
def hub(seeded_app: Flask) -> Iterator[None]:
    with seeded_app.app_context():
        yield


@pytest.mark.usefixtures("hub")
def test_every_story_counts_exactly() -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Story,
        settings=settings(
            max_examples=25,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
