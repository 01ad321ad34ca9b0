"""Start: ask for a run; there is never a second one of a kind at a time, on whatever host."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from app.access.actions import audit
from app.access.actor import SYSTEM, Actor
from app.db import Tx, transaction
from app.errors import Conflict, Invalid
from app.facts import SyncAsked
from app.syncs.models import MANUAL, QUEUED, SCHEDULE, SyncRun
from app.syncs.rules.table import BY_JOB_TYPE, FULL, SYNCS, Sync


def named(text: str) -> list[Sync]:
    """The syncs of `crm_operacao`, `sync.crm_operacao`, `sync-crm-operacao` or `full`; Invalid."""
    name = text.strip().removeprefix("sync.").removeprefix("sync-").replace("-", "_")
    if name == FULL:
        return list(SYNCS.values())
    if name not in SYNCS:
        raise Invalid(details={"type": [f"must be one of: {', '.join([*SYNCS, FULL])}"]})
    return [SYNCS[name]]


def start(syncs: Sequence[Sync], *, by: Actor, why: str | None, now: int) -> list[int]:
    """Ask for runs, one after the other; their ids. Conflict where one of them is under way."""
    try:
        with transaction() as tx:
            ids = _insert(tx, syncs, now, trigger=MANUAL, asked_by=by.name[:120], why=why or "")
            names = ", ".join(sync.job for sync in syncs)
            audit.record(tx, by, "sync.started", names, why, None, {"runs": ids})
    except IntegrityError:
        # Another host asked between our look and our insert.
        raise Conflict("A sincronização já está em andamento") from None
    return ids


def start_slot(sync: Sync, slot: int, now: int) -> int | None:
    """The run of a schedule's slot; None where the one before is still under way."""
    try:
        with transaction() as tx:
            asked = {"trigger": SCHEDULE, "asked_by": SYSTEM.name, "why": "", "slot": slot}
            return _insert(tx, [sync], now, **asked)[0]
    except (Conflict, IntegrityError):
        return None


def _insert(tx: Tx, syncs: Sequence[Sync], now: int, **asked: Any) -> list[int]:
    """The rows of the runs; each after the first waits for the one before."""
    _refuse_second(tx, syncs)
    ids: list[int] = []
    for sync in syncs:
        row = {"job_type": sync.job_type, "active_key": sync.job_type, "status": QUEUED}
        after = ids[-1] if ids else None
        query = insert(SyncRun).values(
            **row, **asked, after_run=after, created_at=now, moved_at=now
        )
        made = tx.connection.execute(query).inserted_primary_key
        ids.append(int(made[0]) if made else 0)
    tx.tell(SyncAsked(ids))
    return ids


def _refuse_second(tx: Tx, syncs: Sequence[Sync]) -> None:
    """Conflict that names the run under way."""
    keys = [sync.job_type for sync in syncs]
    query = select(SyncRun.id, SyncRun.job_type).where(SyncRun.active_key.in_(keys))
    if row := tx.connection.execute(query.limit(1)).one_or_none():
        job = BY_JOB_TYPE[row.job_type].job
        raise Conflict(f"{job} já está em andamento (execução {row.id})")
