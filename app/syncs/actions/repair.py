"""Repair: a run whose items do not move any more ends, so that the next one may begin."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, or_, select, update

from app.db import Tx, transaction
from app.events.models import Event
from app.paging import AnyRow
from app.syncs.actions.end import finish, locked
from app.syncs.actions.take import SKEW_MS
from app.syncs.models import DONE, PENDING, RUNNING, WRITTEN, SyncItem, SyncRun
from app.syncs.rules.table import BY_JOB_TYPE
from app.syncs.rules.timing import STALLED_MS
from app.systems.actions import breakers
from app.systems.queries import snapshot
from app.systems.rules.breaker import CLOSED


def end_stalled(now: int) -> int:
    """End runs nothing happened to for a while; how many. Their items go on on their own."""
    with transaction(durable=False) as tx:
        old = or_(SyncRun.moved_at < now - STALLED_MS, SyncRun.moved_at > now + SKEW_MS)
        query = select(SyncRun.id).where(SyncRun.status == RUNNING, SyncRun.planned.is_(True), old)
        ids = list(tx.connection.scalars(query.order_by(SyncRun.id)))
        for run_id in ids:
            _end(tx, run_id, now)
    return len(ids)


def _end(tx: Tx, run_id: int, now: int) -> None:
    """What is not through counts as failed, with the reason why it waits."""
    _lock_event(tx, run_id)
    run = locked(tx, run_id)
    if run.status != RUNNING:
        return
    if run.moved_at > now:
        # Written by a clock that has stepped back since.
        tx.connection.execute(update(SyncRun).where(SyncRun.id == run_id).values(moved_at=now))
        return
    why = _why(tx, run)
    waiting = update(SyncItem).where(
        SyncItem.run_id == run_id,
        SyncItem.state.in_((PENDING, WRITTEN)),
        SyncItem.troubled.is_(False),
    )
    count = tx.connection.execute(waiting.values(troubled=True, error=why)).rowcount
    failed = SyncRun.failed + count
    tx.connection.execute(update(SyncRun).where(SyncRun.id == run_id).values(failed=failed))
    finish(tx, locked(tx, run_id), now)


def give_up(run: AnyRow, reason: str, now: int) -> None:
    """End a run (as taken, under its lease) that cannot be worked on.

    What has no delivery yet is forgotten: the next run reads it anew.
    """
    with transaction(durable=False) as tx:
        _lock_event(tx, run.id)
        found = locked(tx, run.id)
        if found.status != RUNNING or found.lease != run.lease:
            return
        mine = (SyncItem.run_id == found.id, SyncItem.id > found.planned_up_to)
        tx.connection.execute(delete(SyncItem).where(*mine, SyncItem.state == PENDING))
        again = update(SyncItem).where(*mine, SyncItem.state == WRITTEN)
        tx.connection.execute(again.values(state=DONE, changed_at=now))
        finish(tx, found, now, reason)


def _lock_event(tx: Tx, run_id: int) -> None:
    """Events before runs, as where outcomes are recorded: nobody waits in a circle."""
    if tx.connection.dialect.name == "sqlite":
        return
    query = select(Event.id).join(SyncRun, SyncRun.event_id == Event.id)
    tx.connection.execute(query.where(SyncRun.id == run_id).with_for_update(of=Event))


def _why(tx: Tx, run: Any) -> str:
    """What the items wait for, for people."""
    sync = BY_JOB_TYPE[run.job_type]
    known, states = snapshot.systems(tx.connection), breakers.load(tx.connection)
    for name in (sync.target, sync.source):
        if known[name].paused:
            return f"{known[name].label} está em pausa; o item espera"
        if name in states and states[name].state != CLOSED:
            return f"o disjuntor de {known[name].label} está aberto; o item espera"
    return "o item espera há mais de 2 minutos"
