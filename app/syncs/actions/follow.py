"""Follow: what becomes of the deliveries decides on their items and runs, in one transaction."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from flask import current_app
from sqlalchemy import bindparam, select, update

from app import clock
from app.db import Tx, update_plain
from app.deliveries.models import Delivery
from app.facts import DeliveriesDied, DeliveriesRetried, DeliveriesSent
from app.paging import AnyRow
from app.syncs.actions.deliver import CONFIRM, PREFIX, Item, Step, deliver, step_of
from app.syncs.actions.end import settle
from app.syncs.models import DONE, FAILED, WRITTEN, SyncItem, SyncRun
from app.syncs.rules.table import BY_JOB_TYPE

LOST = "o envio foi dado por perdido"


class Told(NamedTuple):
    """A delivery of ours that something happened to."""

    step: Step
    event_id: int
    output: str | None
    error: str
    attempts: int


def on_sent(tx: Tx, fact: DeliveriesSent) -> None:
    """Follower: what was written is to be confirmed, what was confirmed is done."""
    told = _told(tx, fact.ids)
    if not told:
        return
    now = clock.now()
    confirmed = [each for each in told if each.step.step == CONFIRM]
    written = [each for each in told if each.step.step != CONFIRM]
    _confirm(tx, written, now)
    _done(tx, confirmed, now)


def on_retried(tx: Tx, fact: DeliveriesRetried) -> None:
    """Follower: an item whose attempt failed counts as failed until it gets through."""
    _trouble(tx, _told(tx, fact.ids), None)


def on_died(tx: Tx, fact: DeliveriesDied) -> None:
    """Follower: an item that was given up has failed; its dead letter says the rest."""
    _trouble(tx, _told(tx, fact.ids), FAILED)


# Built once: they are asked for every batch of outcomes.
_OURS = select(
    Delivery.dedupe, Delivery.event_id, Delivery.output, Delivery.last_error, Delivery.attempts
).where(
    Delivery.id.in_(bindparam("ids", expanding=True)), Delivery.dedupe.startswith(PREFIX)
)  # fmt: skip
_ITEMS = (
    select(*(getattr(SyncItem, name) for name in Item._fields))
    .where(SyncItem.id.in_(bindparam("ids", expanding=True)))
    .order_by(SyncItem.id)
)
_STATES = (
    select(SyncItem.id, SyncItem.run_id, SyncItem.state, SyncItem.troubled)
    .where(SyncItem.id.in_(bindparam("ids", expanding=True)))
    .order_by(SyncItem.id)
)
_DONE = (
    update(SyncItem)
    .where(SyncItem.id.in_(bindparam("ids", expanding=True)))
    .values(state=DONE, troubled=False, error="", changed_at=bindparam("now"))
)


def _told(tx: Tx, ids: Sequence[int]) -> list[Told]:
    """Those of the deliveries that are ours."""
    return [
        Told(step, event_id, output, error or LOST, attempts)
        for dedupe, event_id, output, error, attempts in tx.connection.execute(
            _OURS, {"ids": list(ids)}
        )
        if (step := step_of(dedupe or "")) is not None
    ]


def _states(tx: Tx, told: Sequence[Told]) -> list[AnyRow]:
    """How far the items are, in the order of their ids."""
    return list(tx.connection.execute(_STATES, {"ids": [each.step.item_id for each in told]}))


def _confirm(tx: Tx, written: Sequence[Told], now: int) -> None:
    """Keep the ids that the target gave, and plan the confirms."""
    if not written:
        return
    ids = {each.step.item_id: _target_id(each.output) for each in written}
    values = [
        {"id": item_id, "state": WRITTEN, "target_id": given, "changed_at": now}
        for item_id, given in ids.items()
    ]
    update_plain(tx.connection, SyncItem, values)
    rows = map(Item._make, tx.connection.execute(_ITEMS, {"ids": list(ids)}))
    items = {item.id: item for item in rows}
    today = clock.to_datetime(now, current_app.extensions["settings"].zone).date()
    _deliver_by_run(tx, written, items, today, now)
    _move(tx, Counter({item.run_id: 0 for item in items.values()}), Counter(), now)


def _deliver_by_run(
    tx: Tx, written: Sequence[Told], items: dict[int, Item], today: date, now: int
) -> None:
    """Confirms hang on the event of the write."""
    groups: dict[tuple[str, int], list[Item]] = {}
    for each in written:
        if (item := items.get(each.step.item_id)) is not None:
            groups.setdefault((item.job_type, each.event_id), []).append(item)
    for (job_type, event_id), group in groups.items():
        deliver(tx, BY_JOB_TYPE[job_type], group, event_id, today, now)


def _target_id(output: str | None) -> str | None:
    """The id in what the write left."""
    found = json.loads(output or "{}").get("id")
    return None if found is None else str(found)[:80]


def _done(tx: Tx, confirmed: Sequence[Told], now: int) -> None:
    """Items are done; those that had failed before leave the failures of their run."""
    if not confirmed:
        return
    items = [row for row in _states(tx, confirmed) if row.state != DONE]
    tx.connection.execute(_DONE, {"ids": [row.id for row in items], "now": now})
    done = Counter(row.run_id for row in items)
    recovered = Counter(row.run_id for row in items if row.troubled)
    _move(tx, done, Counter({run: -n for run, n in recovered.items()}), now)


def _trouble(tx: Tx, told: Sequence[Told], state: str | None) -> None:
    """Note the error on the items; each counts once in its run's failures."""
    if not told:
        return
    now, items = clock.now(), {row.id: row for row in _states(tx, told)}
    failed: Counter[int] = Counter()
    for each in told:
        item = items.get(each.step.item_id)
        if item is None or item.state == DONE:
            continue
        values = {"troubled": True, "error": each.error, "attempts": each.attempts}
        values |= {"changed_at": now, **({"state": state} if state else {})}
        tx.connection.execute(update(SyncItem).where(SyncItem.id == item.id).values(**values))
        failed[item.run_id] += not item.troubled
    _move(tx, Counter(), failed, now)


def _move(tx: Tx, done: Counter[int], failed: Counter[int], now: int) -> None:
    """Add to the counts of the runs, and end those that are through; always in one order."""
    for run_id in sorted({*done, *failed}):
        tx.connection.execute(
            update(SyncRun)
            .where(SyncRun.id == run_id)
            .values(
                done=SyncRun.done + done[run_id],
                failed=SyncRun.failed + failed[run_id],
                moved_at=now,
            )
        )
        settle(tx, run_id, now)
