"""Batches: each event judged for itself, the good ones stored in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.errors import Conflict, Invalid
from app.events.actions import intake
from app.events.rules import Accepted, NewEvent
from app.events.rules.incoming import Incoming
from app.payloads import dump_json
from app.web import validate

AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Refused:
    """An item that is no event, and why."""

    error: Invalid


ItemOutcome = Accepted | Conflict | Refused


def items_of(document: Any) -> list[Any]:
    """The events of a batch: a list, or an object with one as `events`; Invalid otherwise."""
    items = document.get("events") if isinstance(document, dict) else document
    if not isinstance(items, list):
        raise Invalid(details={"events": ["must be a list of events"]})
    if not 1 <= len(items) <= AT_ONCE:
        raise Invalid(details={"events": [f"must hold 1 to {AT_ONCE} events"]})
    return items


def accept_items(items: Sequence[Any], via: str) -> list[ItemOutcome]:
    """Store what is valid in one transaction; the outcome of each item, in order."""
    judged = judge(items, via)
    stored = iter(intake.accept([each for each in judged if isinstance(each, NewEvent)]))
    return [each if isinstance(each, Refused) else next(stored) for each in judged]


def judge(items: Sequence[Any], via: str) -> list[NewEvent | Refused]:
    """What each item is, before anything is stored."""
    return [_judge(item, via) for item in items]


def _judge(item: Any, via: str) -> NewEvent | Refused:
    try:
        return validate(Incoming, item).as_new(dump_json(item), via)
    except Invalid as problem:
        return Refused(problem)
