"""The hub at work without its processes: events come in, everything that is due leaves."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from flask import Flask
from sqlalchemy import delete, or_, update

from app import clock
from app.access.actor import SYSTEM
from app.automations.actions import follow
from app.automations.models import Automation, AutomationStep
from app.automations.queries import forget_active
from app.automations.seed import seed as seed_automations
from app.db import transaction
from app.deliveries.actions import repair
from app.deliveries.actions.record import Tried
from app.deliveries.jobs.engine import Engine
from app.deliveries.models import Delivery
from app.events.actions.intake import accept
from app.events.models import Event
from app.events.rules import new_event
from app.messages.actions.texts import set_quiet_hours
from app.messages.models import MessageTemplate
from app.messages.seed import seed as seed_messages
from app.queues import QUEUES
from app.systems.actions import breakers
from app.systems.rules.defaults import CARRIERS
from tests.deliveries.hub import Hub
from tests.partners.client import Partners

ROUNDS = 60
PHONE = "5511987654321"

# Seconds that what has left may take, on a machine of any speed.
LANDS_WITHIN = 20.0
NOTHING_WAITS_HERE = "integrations-none"


class Office(Hub):
    """A seeded hub with an engine and the partners' books."""

    def __init__(self, app: Flask, partners: Partners) -> None:
        super().__init__(app)
        seed_messages(now=clock.now())
        seed_automations(now=clock.now())
        forget_active()
        with transaction() as tx:
            breakers.ensure(tx, CARRIERS)
        # Whatever the time of day at which the tests run.
        set_quiet_hours("00:00", "00:00", by=SYSTEM)
        self.partners = partners
        self.engine = Engine(self.settings)

    def receive(self, event_type: str, payload: Any, source: str = "site") -> int:
        """Accept an event; its id."""
        (outcome,) = accept([new_event(event_type, source, payload, raw=b"{}", via="test")])
        return outcome.id  # type: ignore[union-attr]

    def turn(self, lands: bool = True) -> None:
        """What bells and the clock do, once; what has left comes back, unless somebody hangs."""
        follow.wake()
        for queue in QUEUES:
            self.engine.drain(queue, 0.3)
        end = clock.monotonic() + LANDS_WITHIN
        while lands and self.engine.busy and clock.monotonic() < end:
            self.engine.drain(NOTHING_WAITS_HERE, 0.05)

    def work(self) -> None:
        """Until nothing is left that could leave now."""
        for _ in range(ROUNDS):
            self.turn()
            if not self._busy():
                return
        raise AssertionError(f"still at work: {self._busy()}")

    def _busy(self) -> list[Any]:
        now = clock.now()
        soon = now + clock.MINUTE
        pending = self.rows(Delivery, Delivery.status == "pending", Delivery.due_at < soon)
        # Whoever waits for a lane waits for no time, whatever a clock wrote.
        leaves = or_(AutomationStep.due_at < soon, AutomationStep.lane.is_not(None))
        held = self.rows(AutomationStep, AutomationStep.state == "held", leaves)
        return [*pending, *held]

    def steps(self, event_id: int) -> dict[str, str]:
        """State of each step."""
        rows = self.rows(AutomationStep, AutomationStep.event_id == event_id)
        return {row.step: row.state for row in rows}

    def step(self, event_id: int, name: str) -> Any:
        (row,) = self.rows(
            AutomationStep, AutomationStep.event_id == event_id, AutomationStep.step == name
        )
        return row

    def pass_time(self, event_id: int, ms: int) -> None:
        """As if the event had come so much earlier."""
        with transaction() as tx:
            c = tx.connection
            mine = Event.id == event_id
            c.execute(update(Event).where(mine).values(created_at=Event.created_at - ms))
            held = (AutomationStep.event_id == event_id, AutomationStep.state == "held")
            earlier = AutomationStep.due_at - ms
            c.execute(update(AutomationStep).where(*held).values(due_at=earlier))

    def clock_steps_back(self, event_id: int, ms: int = clock.HOUR) -> None:
        """As if all that was written about the event so far came from a clock so far ahead."""
        self.pass_time(event_id, -ms)
        with transaction() as tx:
            later = {name: getattr(Delivery, name) + ms for name in ("due_at", "set_at")}
            mine = (Delivery.event_id == event_id, Delivery.status == "pending")
            tx.connection.execute(update(Delivery).where(*mine).values(**later))
        repair.free_from_the_future(clock.now())

    def hurry(self) -> None:
        """All that waits for its retry is due."""
        with transaction() as tx:
            waiting = (Delivery.status == "pending", Delivery.lease.is_(None))
            tx.connection.execute(update(Delivery).where(*waiting).values(due_at=clock.now()))

    def calls(self, system: str, path: str, method: str = "") -> list[Any]:
        """Bodies of the calls that a system got, None for those without."""
        found = self.partners.book(system, path=path, method=method)
        return [json.loads(each["body"]) if each["body"] else None for each in found]

    def sent(self) -> list[dict[str, Any]]:
        """WhatsApp messages that left."""
        return self.partners.rows("whatsapp", "sent")

    def all_attempts(self, event_id: int) -> list[Any]:
        """Attempts of all deliveries of an event."""
        return [one for row in self.of_event(event_id) for one in self.attempts(row.id)]

    def switch_off(self, name: str) -> None:
        """As an operator would."""
        with transaction() as tx:
            mine = Automation.name == name
            tx.connection.execute(update(Automation).where(mine).values(active=False))
        forget_active()

    def without_templates(self) -> None:
        """Somebody has emptied the table of texts."""
        with transaction() as tx:
            tx.connection.execute(delete(MessageTemplate))

    def with_templates(self) -> None:
        """The texts are back."""
        seed_messages(now=clock.now())

    def die_after(self, ending: str) -> None:
        """A worker makes the call and dies before it writes the outcome down."""
        record, lost = self.engine.outcomes.record, []

        def forget(tries: Sequence[Tried], patient: bool) -> None:
            lost.extend(tried.row.id for tried in tries if tried.url.endswith(ending))
            record([t for t in tries if not t.url.endswith(ending)], patient)

        self.engine.outcomes.record = forget  # type: ignore[method-assign]
        for _ in range(ROUNDS):
            if not lost:
                self.turn()
        self.engine.outcomes.record = record  # type: ignore[method-assign]
        assert lost
        self.change(lost, due_at=clock.now() - 1)
        assert repair.free_expired(clock.now()) == len(lost)

    def newest_event(self, like: str = "%") -> int:
        """Id of the event of such a type that came last."""
        return max(row.id for row in self.rows(Event, Event.event_type.like(like)))

    def restart(self) -> None:
        """Another process takes over."""
        self.engine.finish()
        self.engine = Engine(self.settings)
