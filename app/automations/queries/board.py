"""How the automations stand: each with its steps in words, its switch and its last runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import Connection

from app import clock
from app.automations.models import Automation, AutomationStep
from app.automations.rules.flows import FLOWS
from app.automations.rules.step import Flow
from app.automations.rules.words import skipped_in_words, when_in_words
from app.events.models import Event
from app.paging import AnyRow

LAST_RUNS = 5


@dataclass(frozen=True, slots=True)
class StepTold:
    """A step as a person reads it."""

    label: str
    turn: str
    unless: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """An event and how many of its steps are in which state; times in ms."""

    event_id: int
    at: int
    states: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Card:
    """An automation as its page shows it."""

    flow: Flow
    active: bool
    changed_at: int | None
    changed_by: str
    steps: tuple[StepTold, ...]
    runs: tuple[Run, ...]


def board(c: Connection) -> list[Card]:
    """All automations, in the order in which a person comes to the house."""
    switches = {row.name: row for row in c.execute(select(Automation.__table__))}
    return [_card(c, flow, switches.get(flow.name)) for flow in FLOWS]


def _card(c: Connection, flow: Flow, switch: AnyRow | None) -> Card:
    return Card(
        flow,
        bool(switch and switch.active),
        switch.changed_at if switch else None,
        switch.changed_by if switch else "",
        tuple(
            StepTold(step.label, when_in_words(flow, step), skipped_in_words(step))
            for step in flow.steps
        ),
        _runs(c, flow),
    )


def _runs(c: Connection, flow: Flow) -> tuple[Run, ...]:
    """The last events that the automation followed."""
    latest = (
        select(Event.id, Event.created_at)
        .where(Event.event_type == flow.event_type)
        .order_by(Event.id.desc())
        .limit(LAST_RUNS)
    )
    events = c.execute(latest).all()
    states = _states(c, [row.id for row in events])
    return tuple(
        Run(row.id, row.created_at, tuple(sorted(states[row.id].items())))
        for row in events
        if row.id in states
    )


def _states(c: Connection, ids: Sequence[int]) -> dict[int, Counter[str]]:
    query = select(AutomationStep.event_id, AutomationStep.state)
    found: dict[int, Counter[str]] = {}
    for row in c.execute(query.where(AutomationStep.event_id.in_(list(ids)))):
        found.setdefault(row.event_id, Counter())[row.state] += 1
    return found


def card_json(card: Card) -> dict[str, Any]:
    """An automation as JSON."""
    return {
        "name": card.flow.name,
        "label": card.flow.label,
        "event_type": card.flow.event_type,
        "active": card.active,
        "changed_at": clock.iso(card.changed_at),
        "changed_by": card.changed_by,
        "steps": [
            {"label": step.label, "when": step.turn, "unless": list(step.unless)}
            for step in card.steps
        ],
        "last_runs": [
            {"event_id": run.event_id, "at": clock.iso(run.at), "steps": dict(run.states)}
            for run in card.runs
        ],
    }
