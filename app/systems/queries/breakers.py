"""Reads of the breakers: how each system's stands, what waits behind it, how it moved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.engine import Connection

from app import counters
from app.paging import AnyRow
from app.systems.actions.breakers import load
from app.systems.models import BreakerMove, System
from app.systems.rules.breaker import CLOSED, OPEN, Breaker, Limits
from app.systems.rules.defaults import CARRIERS

MOVES = 10
WORST_FIRST = {OPEN: 0, CLOSED: 2}


@dataclass(frozen=True, slots=True)
class Card:
    """A system's breaker as a person looks at it; `held` messages wait, times in ms."""

    breaker: Breaker
    label: str
    paused: bool
    held: int
    probe_at: int | None
    moves: Sequence[AnyRow] = field(default=())

    @property
    def name(self) -> str:
        """The system."""
        return self.breaker.system

    @property
    def state(self) -> str:
        """closed, open or half_open."""
        return self.breaker.state

    @property
    def since(self) -> int | None:
        """When it opened, or last moved."""
        if self.state != CLOSED:
            return self.breaker.opened_at
        return self.moves[0].at if self.moves else None


def board(c: Connection, limits: Limits) -> list[Card]:
    """All systems, the open ones first."""
    known = {row.name: row for row in c.execute(select(System.name, System.label, System.paused))}
    waiting = held(c)
    every = load(c)
    moves = last_moves(c, every)
    cards = [
        Card(
            breaker,
            known[name].label if name in known else CARRIERS.get(name, name),
            bool(name in known and known[name].paused),
            waiting.get(name, 0),
            _probe_at(breaker, limits),
            moves[name],
        )
        for name, breaker in every.items()
    ]
    return sorted(cards, key=lambda card: (WORST_FIRST.get(card.state, 1), card.label))


def held(c: Connection) -> dict[str, int]:
    """Messages waiting to leave, by system."""
    sums: dict[str, int] = {}
    for (_queue, system), n in counters.gauges(c, "deliveries.waiting").items():
        sums[system] = sums.get(system, 0) + n
    return sums


def last_moves(c: Connection, names: Iterable[str]) -> dict[str, Sequence[AnyRow]]:
    """The last moves of each of these breakers, newest first; one range of an index each."""
    newest = select(BreakerMove.__table__).order_by(BreakerMove.id.desc()).limit(MOVES)
    return {name: c.execute(newest.where(BreakerMove.system == name)).all() for name in names}


def _probe_at(breaker: Breaker, limits: Limits) -> int | None:
    """When an open breaker lets its next probe through."""
    if breaker.state != OPEN or breaker.opened_at is None:
        return None
    return breaker.opened_at + limits.timeout_ms
