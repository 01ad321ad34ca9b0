"""Work on a run: read its source page by page, then plan its items; short steps, each resumable."""

from __future__ import annotations

from datetime import date

from flask import current_app
from sqlalchemy import bindparam, select

from app import clock
from app.config import Settings
from app.db import Tx, new_ids, transaction
from app.paging import AnyRow
from app.syncs.actions.deliver import Item, deliver
from app.syncs.actions.end import open_event, settle
from app.syncs.actions.fetch import Refused, fetch
from app.syncs.actions.store import AT_ONCE, store
from app.syncs.actions.take import held, lease_ms, release, take
from app.syncs.models import PENDING, WRITTEN, SyncItem, SyncRun
from app.syncs.rules.items import Page, Unreadable, page_of
from app.syncs.rules.table import BY_JOB_TYPE, Sync

PER_PAGE = 200


class Lost(Exception):
    """Somebody took the run over: nothing of this step is written."""


def run_slice(seconds: float) -> bool:
    """Work on the oldest run that wants it, for about `seconds`; whether there was one."""
    settings: Settings = current_app.extensions["settings"]
    lease = lease_ms(settings)
    run = take(clock.now(), lease)
    if run is None:
        return False
    end = clock.monotonic() + seconds
    try:
        while not run.planned:
            run = _step(settings, run, lease)
            if clock.monotonic() >= end:
                break
    except Lost:
        return True
    if not run.planned:
        release(run)
    return True


def _step(settings: Settings, run: AnyRow, lease: int) -> AnyRow:
    """One page or one batch of items; the run as it is now."""
    sync = BY_JOB_TYPE[run.job_type]
    if run.cursor is None or run.error:
        return _plan(run, sync, _today(settings), lease)
    try:
        params = sync.params(_today(settings))
        params |= {"per_page": str(PER_PAGE), "page": str(run.cursor)}
        page = page_of(fetch(settings, sync.source, sync.path, params), run.cursor)
    except (Refused, Unreadable) as problem:
        # What was read until here is still worked on; the run has failed in any case.
        return _write(run, lease, error=f"leitura interrompida: {problem}"[:500])
    return _store(run, sync, page, lease)


def _today(settings: Settings) -> date:
    return clock.to_datetime(clock.now(), settings.zone).date()


def _write(run: AnyRow, lease: int, **values: object) -> AnyRow:
    """Change the run in a transaction of its own."""
    with transaction(durable=False) as tx:
        _hold(tx, run, lease, **values)
        return _fresh(tx, run)


def _hold(tx: Tx, run: AnyRow, lease: int, **values: object) -> None:
    if not held(tx, run, clock.now(), lease, **values):
        raise Lost


def _fresh(tx: Tx, run: AnyRow) -> AnyRow:
    return tx.connection.execute(select(SyncRun.__table__).where(SyncRun.id == run.id)).one()


def _store(run: AnyRow, sync: Sync, page: Page, lease: int) -> AnyRow:
    """Write a page, a batch a transaction; the cursor moves with the last one."""
    starts = range(0, max(len(page.items), 1), AT_ONCE)
    for start in starts:
        with transaction(durable=False) as tx:
            batch = page.items[start : start + AT_ONCE]
            result = store(tx, run, sync, batch, clock.now())
            counts = {
                "total": SyncRun.total + result.total,
                "skipped": SyncRun.skipped + result.skipped,
                "failed": SyncRun.failed + result.failed,
            }
            _hold(tx, run, lease, **counts, cursor=page.next if start == starts[-1] else run.cursor)
            fresh = _fresh(tx, run)
    return fresh


def _plan(run: AnyRow, sync: Sync, today: date, lease: int) -> AnyRow:
    """Plan a batch of items; after the last one the run waits for what becomes of them."""
    event_id = run.event_id or new_ids("events", 1)[0]
    with transaction(durable=False) as tx:
        now = clock.now()
        items = _unplanned(tx, run)
        if items and run.event_id is None:
            open_event(tx, event_id, run, sync, now)
        if items:
            deliver(tx, sync, items, event_id, today, now)
            _hold(tx, run, lease, event_id=event_id, planned_up_to=items[-1].id)
        if len(items) < AT_ONCE:
            _hold(tx, run, lease, planned=True)
            settle(tx, run.id, now)
        return _fresh(tx, run)


_UNPLANNED = (
    select(*(getattr(SyncItem, name) for name in Item._fields))
    .where(
        SyncItem.run_id == bindparam("run_id"),
        SyncItem.id > bindparam("after"),
        SyncItem.state.in_((PENDING, WRITTEN)),
    )
    .order_by(SyncItem.id)
    .limit(AT_ONCE)
)


def _unplanned(tx: Tx, run: AnyRow) -> list[Item]:
    known = {"run_id": run.id, "after": run.planned_up_to}
    return list(map(Item._make, tx.connection.execute(_UNPLANNED, known)))
