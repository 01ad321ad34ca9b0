"""What happened: small frozen values. `pipeline` says what follows each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import Struct


@dataclass(frozen=True, slots=True)
class Fact:
    """Base of everything that can be told in a transaction."""


class AcceptedEvent(Struct, frozen=True):
    """An event as the planners need it; times in ms."""

    id: int
    event_type: str
    source_system: str
    payload: Any
    created_at: int


@dataclass(frozen=True, slots=True)
class EventsAccepted(Fact):
    """Events were written; `plans` by event id, of those that could be planned."""

    events: Sequence[AcceptedEvent]
    plans: Mapping[int, Sequence[Any]]


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
    """Deliveries were given up and are dead letters now; not told of webhooks that routes plan."""

    ids: Sequence[int]


@dataclass(frozen=True, slots=True)
class DeliveriesRetried(Fact):
    """An attempt of these deliveries failed; not told of webhooks that routes plan."""

    ids: Sequence[int]


@dataclass(frozen=True, slots=True)
class DeliveriesSent(Fact):
    """Deliveries were accepted by their systems; not told of webhooks that routes plan."""

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


@dataclass(frozen=True, slots=True)
class SyncAsked(Fact):
    """Runs of syncs wait for a worker."""

    ids: Sequence[int]


@dataclass(frozen=True, slots=True)
class AlertRaised(Fact):
    """A cause has an open alert that it did not have before."""

    id: int
    type: str
    subject: str
    level: str
    message: str


@dataclass(frozen=True, slots=True)
class AlertMoved(Fact):
    """An open alert went from one level to another."""

    id: int
    type: str
    subject: str
    level: str
    message: str


@dataclass(frozen=True, slots=True)
class AlertAwake(Fact):
    """The time for which an alert was put to sleep is over, and its cause is still there."""

    id: int
    type: str
    subject: str
    message: str


@dataclass(frozen=True, slots=True)
class AlertClosed(Fact):
    """An alert's cause is gone."""

    id: int
    type: str
    subject: str
