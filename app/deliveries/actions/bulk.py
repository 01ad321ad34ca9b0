"""Bulk work on dead letters: the set is frozen when asked for, done in the background in slices.

Progress is written in the transaction of the work itself: a killed worker loses nothing and
repeats nothing, and two workers on one bulk cannot both have the same batch.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import func, insert, select, update
from sqlalchemy.engine import Connection

from app import clock
from app.access.actions import audit
from app.access.actions.rows import inserted_id
from app.access.actor import Actor
from app.db import Tx, reading, transaction
from app.deliveries.actions.dead_letters import archive_dead_letters
from app.deliveries.actions.revive import Moved, retry_dead_letters
from app.deliveries.models import Bulk, BulkLetter, DeadLetter, Delivery
from app.deliveries.queries.bulks import (
    ACTIVE,
    careful_bulks,
    find_bulk,
    members,
    next_bulk,
    next_letters,
    still_meant,
)
from app.deliveries.queries.dead_letters import Narrow
from app.errors import Conflict
from app.facts import BulkAsked
from app.paging import AnyRow

BATCH = 500
# One look for what is next serves this many: the look may have to sort all that is open.
LOOK_AHEAD = 5_000
# Different reasons kept of a bulk; a mapping may fail in as many ways as there are letters.
MOST_PROBLEMS, OTHER = 10, "outros motivos"
ACTIONS: Mapping[str, Callable[..., Moved]] = {
    "retry": retry_dead_letters,
    "archive": archive_dead_letters,
}


class Asked(NamedTuple):
    """A bulk that was asked for; no id when there was nothing to do."""

    id: int | None
    total: int


class Bound(NamedTuple):
    """Where the set ends: ids and moments (ms) up to these, `total` letters."""

    id: int
    at: int
    total: int


def ask(
    action: str,
    wanted: Narrow,
    *,
    by: Actor,
    now: int,
    why: str | None = None,
    limit: int | None = None, seen_at: int | None = None, careful: bool = False,
) -> Asked:  # fmt: skip
    """Ask for all open letters of a filter, `limit` at most, none that died after `seen_at`.

    `careful`: one first, then three, then more, each time only once the ones before got through.
    """
    with transaction() as tx:
        bound = _bound(tx.connection, wanted, min(now, seen_at or now), limit)
        if not bound.total:
            return Asked(None, 0)
        frozen = wanted.frozen(now)
        values = {
            "action": action, "state": "queued", "filter": frozen, "bound_id": bound.id,
            "bound_at": bound.at, "done_at": 0, "done_up_to": 0, "total": bound.total, "done": 0,
            "skipped": 0, "why": (why or "")[:500], "asked_by": by.name[:120], "created_at": now,
            "careful": careful, "stopped": "",
        }  # fmt: skip
        bulk_id = inserted_id(tx.connection.execute(insert(Bulk).values(values)))
        tx.tell(BulkAsked(bulk_id))
        told = {"count": bound.total, "filter": frozen}
        audit.record(tx, by, f"dlq.bulk_{action}_asked", f"bulk:{bulk_id}", why, after=told)
    return Asked(bulk_id, bound.total)


def _bound(c: Connection, wanted: Narrow, at: int, limit: int | None) -> Bound:
    """Freeze the set: what dies or changes from now on is not in it."""
    meant = select(DeadLetter.id).where(*members(wanted, 1 << 62, at, at))
    if limit is not None:
        meant = meant.order_by(DeadLetter.id).limit(limit)
    found = meant.subquery()
    count, last = c.execute(select(func.count(), func.max(found.c.id))).one()
    return Bound(last or 0, at, count)


def cancel(bulk_id: int, *, by: Actor, now: int, why: str | None = None) -> None:
    """Stop before the next batch; nothing happens to one that has ended. NotFound, Conflict."""
    with transaction() as tx:
        row = find_bulk(tx.connection, bulk_id)
        stop = update(Bulk).where(Bulk.id == bulk_id, Bulk.state.in_(ACTIVE))
        stopped = tx.connection.execute(stop.values(state="cancelled", finished_at=now)).rowcount
        if not stopped and row.state == "done":
            raise Conflict("Este trabalho já terminou.")
        if stopped:
            after = {"done": row.done, "total": row.total}
            audit.record(tx, by, "dlq.bulk_cancelled", f"bulk:{bulk_id}", why, None, after)


def run_slice(seconds: float) -> bool:
    """Work on the oldest bulk for at most `seconds` and a batch; whether there is more to do."""
    end = clock.monotonic() + seconds
    while True:
        with reading() as c:
            bulk = next_bulk(c)
            letters = next_letters(c, bulk, LOOK_AHEAD) if bulk else []
        if bulk is None:
            return False
        if not letters:
            finish(bulk, clock.now())
            continue
        up_to = bulk.done_up_to
        for start in range(0, len(letters), BATCH):
            batch = letters[start : start + BATCH]
            if not run_batch(bulk, batch, up_to, clock.now()):
                break
            up_to = batch[-1].id
            if clock.monotonic() >= end:
                return True


def run_batch(bulk: AnyRow, letters: Sequence[AnyRow], up_to: int, now: int) -> bool:
    """Do one batch; whether it was ours to do (not cancelled, no other worker there first)."""
    with transaction(durable=False) as tx:
        ours = (Bulk.id == bulk.id, Bulk.state.in_(ACTIVE), Bulk.done_up_to == up_to)
        last = {"done_at": letters[-1].died_at, "done_up_to": letters[-1].id}
        step = update(Bulk).where(*ours).values(state="running", **last)
        if not tx.connection.execute(step).rowcount:
            return False
        still = still_meant(tx.connection, bulk, [letter.id for letter in letters])
        moved = ACTIONS[bulk.action](tx, still, bulk.asked_by, now, bulk.why)
        done = len(moved.done)
        if bulk.careful:
            _note_released(tx, bulk.id, moved.done)
        if moved.skipped:
            _note_problems(tx, bulk.id, moved.skipped.values())
        values = {"done": Bulk.done + done, "skipped": Bulk.skipped + len(letters) - done}
        tx.connection.execute(update(Bulk).where(Bulk.id == bulk.id).values(**values))
    return True


def _note_problems(tx: Tx, bulk_id: int, reasons: Iterable[str]) -> None:
    """Add to the reasons why letters stay; the bulk's row is ours since the batch began."""
    stored = tx.connection.scalar(select(Bulk.problems).where(Bulk.id == bulk_id))
    told = Counter(json.loads(stored or "{}"))
    for reason in reasons:
        told[reason if reason in told or len(told) < MOST_PROBLEMS else OTHER] += 1
    same = update(Bulk).where(Bulk.id == bulk_id)
    tx.connection.execute(same.values(problems=json.dumps(told, ensure_ascii=False)))


def _note_released(tx: Tx, bulk_id: int, ids: list[int]) -> None:
    """Remember which letters a careful bulk let out, to see what becomes of them."""
    query = (
        select(DeadLetter.id, Delivery.attempts)
        .join(Delivery, Delivery.id == DeadLetter.delivery_id)
        .where(DeadLetter.id.in_(ids))
    )
    rows = [
        {"bulk_id": bulk_id, "letter_id": row.id, "attempts": row.attempts}
        for row in tx.connection.execute(query)
    ]
    if rows:
        tx.connection.execute(insert(BulkLetter), rows)


def finish(bulk: AnyRow, now: int) -> None:
    """Those that changed before the bulk came to them were skipped too."""
    ours = (Bulk.id == bulk.id, Bulk.state.in_(ACTIVE), Bulk.done_up_to == bulk.done_up_to)
    values = {"state": "done", "finished_at": now, "skipped": Bulk.total - Bulk.done}
    with transaction(durable=False) as tx:
        tx.connection.execute(update(Bulk).where(*ours).values(**values))


def has_work() -> bool:
    """Whether a bulk is queued or running."""
    with reading() as c:
        return next_bulk(c) is not None or bool(careful_bulks(c))
