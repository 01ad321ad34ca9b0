"""Add deliveries that no route planned: messages, and calls of automations."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import insert, select, update

from app import counters
from app.counters import Count
from app.db import Tx
from app.deliveries.models import FRESH, Delivery
from app.events.models import Event
from app.facts import DeliveriesDue


class New(NamedTuple):
    """A delivery to be. `lane` and `dedupe` as in the table; `reserved`: its event counts on it
    already."""

    event_id: int
    event_type: str
    kind: str
    system: str
    queue: str
    body: bytes
    step: str = ""
    lane: str | None = None
    dedupe: str | None = None
    reserved: bool = False


def add(tx: Tx, new: New, now: int) -> int | None:
    """Write it, due now; its id, None where there is one for the same cause already."""
    if new.dedupe and _known(tx, new.dedupe):
        return None
    values = {name: value for name, value in new._asdict().items() if name != "reserved"}
    made = tx.connection.execute(
        insert(Delivery).values(**{**FRESH, **values}, due_at=now, set_at=now, created_at=now)
    ).inserted_primary_key or (0,)
    if not new.reserved:
        expect(tx, new.event_id, 1)
    waiting = Count("deliveries.waiting", new.queue, new.system, gauge=True)
    counters.add(tx.connection, [waiting], now)
    tx.tell(DeliveriesDue(frozenset({new.queue})))
    return int(made[0])


def expect(tx: Tx, event_id: int, more: int) -> None:
    """The event waits for so many more (or fewer) endings before it is settled."""
    tx.connection.execute(
        update(Event).where(Event.id == event_id).values(open_count=Event.open_count + more)
    )


def _known(tx: Tx, dedupe: str) -> bool:
    query = select(Delivery.id).where(Delivery.dedupe == dedupe)
    return tx.connection.execute(query).first() is not None
