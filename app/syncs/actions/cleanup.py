"""Retention of runs: old ones go with their items, in small resumable batches."""

from __future__ import annotations

from sqlalchemy import delete, select

from app.db import transaction
from app.syncs.models import DONE, FAILED, SyncItem, SyncRun

AT_ONCE = 20


def cleanup_runs(before: int) -> int:
    """Delete runs that ended before (ms) and none of whose items is still on its way; how many."""
    gone = 0
    while True:
        with transaction(durable=False) as tx:
            on_its_way = (
                select(SyncItem.id)
                .where(SyncItem.run_id == SyncRun.id, SyncItem.state != DONE)
                .correlate(SyncRun)
                .exists()
            )
            old = (SyncRun.status.in_((DONE, FAILED)), SyncRun.finished_at < before, ~on_its_way)
            ids = list(tx.connection.scalars(select(SyncRun.id).where(*old).limit(AT_ONCE)))
            if ids:
                tx.connection.execute(delete(SyncRun).where(SyncRun.id.in_(ids)))
        gone += len(ids)
        if len(ids) < AT_ONCE:
            return gone
