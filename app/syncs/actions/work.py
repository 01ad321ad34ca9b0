"""Work on a run: read its source page by page, then plan its items; short steps, each resumable."""

from __future__ import annotations

import logging
from datetime import date

from flask import current_app
from sqlalchemy import bindparam, select
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app import clock
from app.config import Settings
from app.db import Tx, new_ids, transaction
from app.paging import AnyRow
from app.syncs.actions.deliver import Item, deliver
from app.syncs.actions.end import open_event, settle
from app.syncs.actions.fetch import Refused, fetch
from app.syncs.actions.repair import give_up
from app.syncs.actions.store import AT_ONCE, store
from app.syncs.actions.take import MOST_LOST, held, lease_ms, losses, release, take
from app.syncs.models import PENDING, WRITTEN, SyncItem, SyncRun
from app.syncs.rules.items import MOST_PAGES, Page, Unreadable, page_of
from app.syncs.rules.table import BY_JOB_TYPE, Sync

PER_PAGE = 200
# The database is away or locked: the run stays as it is until its lease has run out.
PASSING = (OperationalError, InterfaceError, PoolTimeout, OSError)

log = logging.getLogger(__name__)


class Lost(Exception):
    """Somebody took the run over: nothing of this step is written."""


LOST_TOO_OFTEN = f"o processo que a fazia terminou no meio {MOST_LOST} vezes"


def run_slice(seconds: float) -> bool:
    """Work on the oldest run that wants it, for about `seconds`; whether there was one."""
    settings: Settings = current_app.extensions["settings"]
    lease = lease_ms(settings)
    run = take(clock.now(), lease)
    if run is None:
        return False
    if losses(run.lease) > MOST_LOST:
        give_up(run, f"execução interrompida: {LOST_TOO_OFTEN}", clock.now())
        return True
    try:
        _work(settings, run, lease, clock.monotonic() + seconds)
    except Lost:
        log.info("run %d was taken over", run.id)
    except PASSING:
        raise
    except Exception as problem:
        log.exception("run %d is given up", run.id)
        give_up(run, f"execução interrompida: {_told(problem)}", clock.now())
    return True


def _work(settings: Settings, run: AnyRow, lease: int, end: float) -> None:
    """Steps until the run is planned or it is `end`, then let go of it. Lost."""
    while not run.planned:
        run = _step(settings, run, lease)
        if clock.monotonic() >= end:
            break
    if not run.planned:
        release(run)


def _step(settings: Settings, run: AnyRow, lease: int) -> AnyRow:
    """One page or one batch of items; the run as it is now."""
    sync = BY_JOB_TYPE[run.job_type]
    if run.cursor is None or run.error:
        return _plan(run, sync, _today(settings), lease)
    try:
        return _read(settings, run, sync, lease)
    except (Lost, *PASSING):
        raise
    except (Refused, Unreadable) as problem:
        reason = str(problem)
    except Exception as problem:
        log.exception("page %d of run %d cannot be read", run.cursor, run.id)
        reason = _told(problem)
    # What was read until here is still worked on; the run has failed in any case.
    return _write(run, lease, error=f"leitura interrompida: {reason}"[:500])


def _told(problem: Exception) -> str:
    """What went wrong inside the hub, for people."""
    return f"erro interno ({type(problem).__name__})"


def _read(settings: Settings, run: AnyRow, sync: Sync, lease: int) -> AnyRow:
    """One page; Refused, Unreadable."""
    if losses(run.lease) >= MOST_LOST:
        raise Unreadable(LOST_TOO_OFTEN)
    if run.cursor > MOST_PAGES:
        raise Unreadable(f"a fonte tem mais de {MOST_PAGES} páginas")
    params = sync.params(_today(settings))
    params |= {"per_page": str(PER_PAGE), "page": str(run.cursor)}
    page = page_of(fetch(settings, sync.source, sync.path, params), run.cursor)
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
    """Write a page, a batch a transaction; the cursor moves with the last one. Unreadable where
    it brings nothing new and is not the last: its source gives the same page for ever."""
    new, starts = 0, range(0, max(len(page.items), 1), AT_ONCE)
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
        new += result.total + result.skipped
    if page.next is not None and not new:
        raise Unreadable(f"a página {run.cursor} só repete o que já foi lido")
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
