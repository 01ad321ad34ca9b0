"""Store: the items of a page as rows; what is known already is never written a second time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import select, update

from app.db import Tx, insert_plain
from app.deliveries.models import OPEN, RETRYING, DeadLetter, Delivery
from app.paging import AnyRow
from app.syncs.actions.deliver import names_of
from app.syncs.models import DONE, FAILED, PENDING, WRITTEN, SyncItem
from app.syncs.rules.items import Found, NoItem, found
from app.syncs.rules.table import Sync

AT_ONCE = 500


@dataclass
class Sorted:
    """What becomes of a page: new rows, items to confirm once more, and how many are left out."""

    fresh: list[dict[str, Any]] = field(default_factory=list)
    again: list[int] = field(default_factory=list)
    # Still no items: told of once more, for they have no dead letter that would tell.
    told_again: list[int] = field(default_factory=list)
    skipped: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        """How many items are the run's."""
        return len(self.fresh) + len(self.again) + len(self.told_again)


def store(tx: Tx, run: AnyRow, sync: Sync, items: Sequence[Any], now: int) -> Sorted:
    """Write the items of (part of) a page for the run; counts are the caller's to add."""
    named: list[Found | NoItem] = [found(sync, item) for item in items]
    known = _known(tx, sync, {each.source_id for each in named})
    result = Sorted()
    for each in named:
        _sort(result, run, sync, each, known[each.source_id], now)
        # The same id a second time in one page is known from here on.
        known[each.source_id].setdefault(each.version, Before(0, PENDING, run.id, False))
    if result.fresh:
        insert_plain(tx.connection, SyncItem, result.fresh)
    _reopen(tx, run, result.again, now)
    if result.told_again:
        mine = update(SyncItem).where(SyncItem.id.in_(result.told_again))
        tx.connection.execute(mine.values(run_id=run.id, changed_at=now))
    return result


class Before(NamedTuple):
    """An item as it was stored before; `over`: it failed, and no dead letter waits for it."""

    id: int
    state: str
    run_id: int
    over: bool


Known = dict[str, Before]
NEVER = Before(0, "", 0, False)


def _known(tx: Tx, sync: Sync, ids: Iterable[str]) -> defaultdict[str, Known]:
    """Items stored before, by source id and version."""
    query = select(
        SyncItem.id, SyncItem.state, SyncItem.run_id, SyncItem.source_id, SyncItem.version
    ).where(SyncItem.job_type == sync.job_type, SyncItem.source_id.in_(sorted(ids)))
    there: defaultdict[str, Known] = defaultdict(dict)
    rows = tx.connection.execute(query).all()
    waiting = _waiting(tx, [row for row in rows if row.state == FAILED])
    for row in rows:
        over = row.state == FAILED and row.id not in waiting
        there[row.source_id][row.version] = Before(row.id, row.state, row.run_id, over)
    return there


def _waiting(tx: Tx, failed: Sequence[AnyRow]) -> set[int]:
    """Those of the failed items whose dead letter a person has not dealt with."""
    names = {name: row.id for row in failed for name in names_of(row.id, row.run_id)}
    if not names:
        return set()
    query = (
        select(Delivery.dedupe)
        .join(DeadLetter, DeadLetter.delivery_id == Delivery.id)
        .where(Delivery.dedupe.in_(list(names)), DeadLetter.state.in_((OPEN, RETRYING)))
    )
    return {names[dedupe] for dedupe in tx.connection.scalars(query) if dedupe}


def _sort(
    result: Sorted, run: AnyRow, sync: Sync, each: Found | NoItem, known: Known, now: int
) -> None:
    """Decide on one item."""
    same = known.get(each.version, NEVER)
    if same.run_id == run.id:
        # Read before by this very run: a page came twice.
        return
    if same.state == DONE and isinstance(each, Found) and not each.skip:
        # The source lists it although it was confirmed: confirm once more, write never again.
        result.again.append(same.id)
    elif same.over and isinstance(each, NoItem):
        result.failed += 1
        result.told_again.append(same.id)
    elif same.over or any(not (one.state == DONE or one.over) for one in known.values()):
        # An earlier run has it in hand, its dead letter waits for a person, or was put aside.
        result.skipped += 1
    elif isinstance(each, NoItem):
        result.failed += 1
        result.fresh.append(_row(run, sync, each, now, state=FAILED, error=each.reason))
    elif each.skip:
        result.skipped += 1
    else:
        result.fresh.append(_row(run, sync, each, now))


def _row(
    run: AnyRow, sync: Sync, each: Found | NoItem, now: int, state: str = PENDING, error: str = ""
) -> dict[str, Any]:
    return {
        "run_id": run.id,
        "job_type": sync.job_type,
        "source_id": each.source_id,
        "version": each.version,
        "state": state,
        "troubled": bool(error),
        "error": error,
        "target_id": None,
        "payload": each.payload,
        "idempotency_key": each.idempotency_key,
        "attempts": 0,
        "created_at": now,
        "changed_at": now,
    }


def _reopen(tx: Tx, run: AnyRow, ids: Sequence[int], now: int) -> None:
    """Items to be confirmed again belong to this run."""
    if ids:
        again = update(SyncItem).where(SyncItem.id.in_(list(ids)))
        values = {"run_id": run.id, "state": WRITTEN, "troubled": False, "error": ""}
        tx.connection.execute(again.values(**values, changed_at=now))
