"""Advance: start the steps of an event whose turn has come, in its cause's transaction."""

from __future__ import annotations

import logging
from dataclasses import replace

from flask import current_app
from sqlalchemy import delete as sql_delete
from sqlalchemy import select, update

from app.automations.actions.deeds import Outcome, perform
from app.automations.actions.lookups import look_up
from app.automations.actions.steps import Steps
from app.automations.models import LaneHolder
from app.automations.rules.step import CallSystem, Context, Step
from app.db import Tx, insert_missing
from app.deliveries.actions.conclude import settle_events
from app.facts import AcceptedEvent

log = logging.getLogger(__name__)


def advance(tx: Tx, steps: Steps, now: int) -> None:
    """Go on until nothing more can start; then let go of the lanes that are done with."""
    tried: set[str] = set()
    while ready := [step for step in steps.ready() if step.name not in tried]:
        tried.add(ready[0].name)
        _start(tx, steps, ready[0], now)
    for lane in steps.finished_lanes():
        mine = (LaneHolder.lane == lane, LaneHolder.event_id == steps.event.id)
        tx.connection.execute(sql_delete(LaneHolder).where(*mine))


def _start(tx: Tx, steps: Steps, step: Step, now: int) -> None:
    """Do the step, hold it, or skip it with the reason."""
    was_held = steps.is_held(step)
    # An event from the future was accepted by a clock that has stepped back since.
    if now < (due := min(steps.event.created_at, now) + step.delay):
        steps.hold(step, due)
        return
    if not _has_lane(tx, steps, step, now):
        return
    context = context_of(steps.event, now, steps, look_up(tx, step.looks_up, steps.event))
    outcome = _outcome(tx, steps, step, context, now)
    if outcome.until is not None:
        steps.hold(step, outcome.until)
        return
    if outcome.delivery_id is not None:
        steps.go(step, outcome.delivery_id)
        return
    if was_held:
        settle_events(tx, {steps.event.id: ["skipped"]}, now)
    if outcome.fault:
        steps.fail(step, outcome.note, now)
    elif outcome.note:
        steps.skip(step, outcome.note, now)
    else:
        steps.done(step, outcome.told, now)


def _outcome(tx: Tx, steps: Steps, step: Step, context: Context, now: int) -> Outcome:
    """What became of the step; a fault of ours is written down, it must not stop the intake."""
    try:
        for condition in step.when:
            if not condition.holds(context):
                return Outcome(note=condition.otherwise)
        deed = step.deed(context)
    except Exception as problem:
        log.exception("step %s of event %s could not be prepared", step.name, steps.event.id)
        return Outcome(note=f"erro interno: {type(problem).__name__}", fault=True)
    return perform(tx, steps, step, deed, now)


def _has_lane(tx: Tx, steps: Steps, step: Step, now: int) -> bool:
    """Whether the step's lane is this event's, and what was seen in it still holds."""
    taken_at = _lane_since(tx, steps, step, now)
    if taken_at is None:
        steps.hold(step, now)
    elif stale := steps.looked_before(step, taken_at):
        _look_again(tx, steps, step, stale, now)
    else:
        return True
    return False


def _lane_since(tx: Tx, steps: Steps, step: Step, now: int) -> int | None:
    """Since when (ms) the step's lane is this event's, 0 for none needed, None while another
    event has it; a free one is taken (its key decides races)."""
    lane = steps.lanes.get(step.name)
    if lane is None:
        return 0
    row = {"lane": lane, "event_id": steps.event.id, "taken_at": now}
    insert_missing(tx.connection, LaneHolder, [row])
    query = select(LaneHolder.event_id, LaneHolder.taken_at).where(LaneHolder.lane == lane)
    # Somebody else's may be let go of between the insert and the look: the clock tries again.
    holder = tx.connection.execute(query).one_or_none()
    return int(holder.taken_at) if holder and holder.event_id == steps.event.id else None


def _look_again(tx: Tx, steps: Steps, step: Step, stale: Step, now: int) -> None:
    """What an earlier step found may be old: others had the lane since. The lane stays ours.

    So it is with a look that died, let go of its lane, and was sent again by a person meanwhile.
    """
    mine = (LaneHolder.lane == steps.lanes[step.name], LaneHolder.event_id == steps.event.id)
    # A moment back, so that no clock that steps makes it look for ever.
    tx.connection.execute(update(LaneHolder).where(*mine).values(taken_at=now - 1))
    if steps.is_held(step):
        settle_events(tx, {steps.event.id: ["skipped"]}, now)
    steps.wait(step)
    context = context_of(steps.event, now, steps)
    deed = stale.deed(context)
    if isinstance(deed, CallSystem):
        deed = replace(deed, once=f"look:{steps.event.id}:{stale.name}:{now}")
    outcome = perform(tx, steps, stale, deed, now)
    if outcome.delivery_id is not None:
        steps.go(stale, outcome.delivery_id)


def context_of(
    event: AcceptedEvent,
    now: int,
    steps: Steps | None = None,
    found: dict[str, object] | None = None,
) -> Context:
    """What the steps of an event look at."""
    payload = event.payload if isinstance(event.payload, dict) else {}
    left = steps.outputs() if steps else {}
    zone = current_app.extensions["settings"].zone
    return Context(
        event.id, event.source_system, payload, event.created_at, now, zone, left, found or {}
    )
