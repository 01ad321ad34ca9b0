"""What happened: small frozen values. `pipeline` says what follows each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Fact:
    """Base of everything that can be told in a transaction."""


@dataclass(frozen=True, slots=True)
class AcceptedEvent:
    """An event as the planners need it; times in ms."""

    id: int
    event_type: str
    source_system: str
    payload: Any
    created_at: int


@dataclass(frozen=True, slots=True)
class EventsAccepted(Fact):
    """Events were written and have no plan yet."""

    events: Sequence[AcceptedEvent]


@dataclass(frozen=True, slots=True)
class EventsPending(Fact):
    """Events were written without a plan (planning failed or was left for later)."""

    ids: Sequence[int]


@dataclass(frozen=True, slots=True)
class DeliveriesDue(Fact):
    """Deliveries on these queues may leave now."""

    queues: frozenset[str]


@dataclass(frozen=True, slots=True)
class DeliveriesDied(Fact):
    """Deliveries were given up and are dead letters now."""

    ids: Sequence[int]


@dataclass(frozen=True, slots=True)
class DeliveriesSent(Fact):
    """Deliveries were accepted by their systems."""

    ids: Sequence[int]


@dataclass(frozen=True, slots=True)
class BreakerMoved(Fact):
    """A system's breaker changed its state."""

    system: str
    state: str


@dataclass(frozen=True, slots=True)
class BulkAsked(Fact):
    """An operator asked for work on many dead letters."""

    id: int
