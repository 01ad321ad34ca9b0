"""Add deliveries that no route planned: messages, and calls of automations."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

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
    values |= {"due_at": now, "set_at": now, "created_at": now}
    made = _insert(tx.connection, {**FRESH, **values})
    if made is None:
        return None
    if not new.reserved:
        expect(tx, new.event_id, 1)
    waiting = Count("deliveries.waiting", new.queue, new.system, gauge=True)
    counters.add(tx.connection, [waiting], now)
    tx.tell(DeliveriesDue(frozenset({new.queue})))
    return made


def _insert(c: Connection, values: dict[str, Any]) -> int | None:
    """The new row's id, None where another transaction wrote one for the same cause meanwhile."""
    if c.dialect.name in ("mysql", "mariadb"):
        made = c.execute(insert(Delivery).prefix_with("IGNORE").values(**values))
        return int(made.lastrowid) if made.rowcount else None
    kind = postgresql if c.dialect.name == "postgresql" else sqlite
    row = kind.insert(Delivery).values(**values)
    row = row.on_conflict_do_nothing(index_elements=["dedupe"])
    found: int | None = c.scalar(row.returning(Delivery.id))
    return found


def expect(tx: Tx, event_id: int, more: int) -> None:
    """The event waits for so many more (or fewer) endings before it is settled."""
    tx.connection.execute(
        update(Event).where(Event.id == event_id).values(open_count=Event.open_count + more)
    )


def _known(tx: Tx, dedupe: str) -> bool:
    query = select(Delivery.id).where(Delivery.dedupe == dedupe)
    return tx.connection.execute(query).first() is not None
