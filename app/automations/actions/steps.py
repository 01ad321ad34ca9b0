"""The rows of an event's steps while they are moved on, read under the event's lock."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import insert, select, update

from app.automations.models import (
    BLOCKED,
    DONE,
    FAILED,
    GOING,
    HELD,
    SKIPPED,
    UNFINISHED,
    WAITING,
    AutomationStep,
)
from app.automations.rules.step import Context, Flow, Step
from app.db import Tx
from app.deliveries.actions.add import expect
from app.deliveries.models import Delivery
from app.events.models import Event
from app.facts import AcceptedEvent

OVER = (DONE, SKIPPED)


class Steps:
    """All steps of one event, by name, in the order of the flow."""

    def __init__(self, tx: Tx, event: AcceptedEvent, flow: Flow, rows: Sequence[Any]) -> None:
        self.tx = tx
        self.event = event
        self.flow = flow
        self.state: dict[str, str] = {row.step: row.state for row in rows}
        self.lanes: dict[str, str] = {row.step: row.lane for row in rows if row.lane}
        self._deliveries = {row.step: row.delivery_id for row in rows if row.delivery_id}
        self._ended = {row.step: row.finished_at for row in rows if row.finished_at is not None}

    def ready(self) -> list[Step]:
        """Steps whose turn has come as far as others are concerned; the blocked ones are marked."""
        found = []
        for step in self.flow.steps:
            before = [self.state.get(name, SKIPPED) for name in step.needs]
            mine = self.state.get(step.name)
            if mine in (WAITING, BLOCKED) and any(each in (FAILED, BLOCKED) for each in before):
                self._mark(step.name, BLOCKED)
            elif mine == BLOCKED:
                self._mark(step.name, WAITING)
            if self.state.get(step.name) in (WAITING, HELD) and all(e in OVER for e in before):
                found.append(step)
        return found

    def outputs(self) -> dict[str, Mapping[str, Any]]:
        """What the steps that are done left."""
        ids = {self._deliveries[name]: name for name in self._done_by_delivery()}
        if not ids:
            return {}
        query = select(Delivery.id, Delivery.output).where(Delivery.id.in_(list(ids)))
        rows = self.tx.connection.execute(query)
        return {ids[row.id]: json.loads(row.output) for row in rows if row.output}

    def _done_by_delivery(self) -> list[str]:
        return [name for name in self._deliveries if self.state[name] == DONE]

    def skip(self, step: Step, note: str, now: int) -> None:
        """There is nothing to do."""
        self._mark(step.name, SKIPPED, note=note[:200], finished_at=now)

    def done(self, step: Step, note: str, now: int) -> None:
        """It was done on the spot."""
        self._mark(step.name, DONE, note=note[:200], finished_at=now)

    def fail(self, step: Step, note: str, now: int) -> None:
        """It cannot even be prepared."""
        self._mark(step.name, FAILED, note=note[:200], finished_at=now)

    def hold(self, step: Step, until: int) -> None:
        """Only its time or its lane is missing."""
        self._mark(step.name, HELD, due_at=until)

    def go(self, step: Step, delivery_id: int) -> None:
        """It is a delivery now."""
        self._deliveries[step.name] = delivery_id
        self._mark(step.name, GOING, delivery_id=delivery_id)

    def wait(self, step: Step) -> None:
        """A step before it is under way again."""
        self._mark(step.name, WAITING)

    def looked_before(self, step: Step, since: int) -> Step | None:
        """The step before it in its lane whose look ended before the lane was ours (ms)."""
        lane = self.lanes.get(step.name)
        for name in step.needs if lane else ():
            look = self.flow.step(name)
            done = self.state.get(name) == DONE and self._ended.get(name, since) <= since
            if look is not None and look.looks and self.lanes.get(name) == lane and done:
                return look
        return None

    def is_held(self, step: Step) -> bool:
        """Whether the event counts on it already."""
        return self.state[step.name] == HELD

    def finished_lanes(self) -> list[str]:
        """Lanes in which nothing of this event is left to do."""
        busy = {lane for name, lane in self.lanes.items() if self.state[name] in UNFINISHED}
        return sorted(set(self.lanes.values()) - busy)

    def _mark(self, name: str, state: str, **values: Any) -> None:
        """Write the new state; a held step is one more thing that the event waits for."""
        before = self.state[name]
        if before == state and not values:
            return
        self.state[name] = state
        same = (AutomationStep.event_id == self.event.id, AutomationStep.step == name)
        changed = update(AutomationStep).where(*same).values(state=state, **values)
        self.tx.connection.execute(changed)
        if state == HELD and before != HELD:
            expect(self.tx, self.event.id, 1)


def write_new(tx: Tx, event: AcceptedEvent, flow: Flow, context: Context, now: int) -> None:
    """The rows of an event that was just accepted."""
    rows = [
        {
            "event_id": event.id, "flow": flow.name, "step": step.name, "state": WAITING,
            "lane": step.lane(context)[:80] if step.lane else None, "note": "",
            "created_at": now,
        }
        for step in flow.steps
    ]  # fmt: skip
    tx.connection.execute(insert(AutomationStep), rows)


def read(tx: Tx, event_id: int) -> Sequence[Any]:
    """The rows of an event, its lock taken first: two workers never move the same steps."""
    if tx.connection.dialect.name != "sqlite":
        lock = select(Event.id).where(Event.id == event_id).with_for_update()
        tx.connection.execute(lock)
    query = select(AutomationStep.__table__).where(AutomationStep.event_id == event_id)
    return tx.connection.execute(query.order_by(AutomationStep.id)).all()
