"""Deliver: each item leaves as deliveries of the one mechanism, first the write, then the confirm.

They are calls on the queue of the syncs; attempts, breaker, retries and dead letters come with
them. `dedupe` names the item and the step, so that no step is ever planned twice.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import update

from app import counters, queues
from app.counters import Count
from app.db import Tx, insert_plain
from app.deliveries.models import CALL, FRESH, Delivery
from app.deliveries.rules.call import Call
from app.events.models import Event
from app.facts import DeliveriesDue
from app.syncs.models import WRITTEN
from app.syncs.rules.table import Request, Sync

WRITE, CONFIRM = "write", "confirm"
PREFIX = "sync:"
_NAME = re.compile(r"sync:(\d+):(write|confirm)", re.ASCII)


class Step(NamedTuple):
    """Which step of which item a delivery is."""

    item_id: int
    step: str


class Item(NamedTuple):
    """An item, as far as its deliveries need it; the columns of the table."""

    id: int
    run_id: int
    job_type: str
    state: str
    target_id: str | None
    payload: str
    idempotency_key: str


def names_of(item_id: int, run_id: int) -> tuple[str, str]:
    """The names of an item's two deliveries; the confirm is one of its run."""
    return f"{PREFIX}{item_id}:{WRITE}", f"{PREFIX}{item_id}:{CONFIRM}:{run_id}"


def step_of(dedupe: str) -> Step | None:
    """What a delivery's name says, None where it is not ours."""
    named = _NAME.match(dedupe)
    return Step(int(named[1]), named[2]) if named else None


def deliver(
    tx: Tx, sync: Sync, items: Sequence[Item], event_id: int, today: date, now: int
) -> None:
    """Plan the next step of items."""
    rows = [_row(sync, item, event_id, today, now) for item in items]
    if not rows:
        return
    insert_plain(tx.connection, Delivery, rows)
    of = Counter(row["system"] for row in rows)
    waiting = [Count("deliveries.waiting", queues.LOW, s, n, gauge=True) for s, n in of.items()]
    counters.add(tx.connection, waiting, now)
    longer = update(Event).where(Event.id == event_id)
    tx.connection.execute(longer.values(open_count=Event.open_count + len(rows)))
    tx.tell(DeliveriesDue(frozenset({queues.LOW})))


def _row(sync: Sync, item: Item, event_id: int, today: date, now: int) -> dict[str, Any]:
    payload = json.loads(item.payload)
    if item.state == WRITTEN:
        request = sync.confirm(payload, item.target_id or "")
        # Its run belongs to the name: what a source lists again is confirmed again.
        name, step = f"{PREFIX}{item.id}:{CONFIRM}:{item.run_id}", CONFIRM
    else:
        request = sync.write(payload, today)
        name, step = f"{PREFIX}{item.id}:{WRITE}", WRITE
    return {
        **FRESH,
        "event_id": event_id,
        "event_type": sync.job_type,
        "kind": CALL,
        "dedupe": name,
        "step": step,
        "system": request.system,
        "queue": queues.LOW,
        "body": _call(sync, item, request).as_body(),
        "due_at": now,
        "set_at": now,
        "created_at": now,
    }


def _call(sync: Sync, item: Item, request: Request) -> Call:
    """The call; a write leaves the id of what it made, and has failed where there is none."""
    key = item.idempotency_key
    if item.state == WRITTEN:
        return Call(request.method, request.path, request.body, key=f"{key}-{item.run_id}")
    return Call(
        request.method,
        request.path,
        request.body,
        leaves={"id": "data.id"},
        demands=("id",) if sync.needs_target_id else (),
        key=key,
    )
