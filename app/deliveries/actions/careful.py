"""Careful bulks: let the next ones out once those before got through; stop on a relapse."""

from __future__ import annotations

from sqlalchemy import update

from app.access.actions import audit
from app.access.actor import SYSTEM
from app.db import reading, transaction
from app.deliveries.actions.bulk import finish, run_batch
from app.deliveries.models import Bulk
from app.deliveries.queries.bulks import (
    ACTIVE,
    Released,
    careful_bulks,
    next_letters,
    released,
)
from app.deliveries.rules.careful import next_size, relapsed, stage
from app.paging import AnyRow

NAMES = {"probe": "a mensagem de prova", "canary": "as três de confirmação", "ramp": "o resto"}


def advance(now: int) -> bool:
    """One step of each careful bulk; whether one of them let something out."""
    with reading() as c:
        waiting = [(bulk, released(c, bulk.id)) for bulk in careful_bulks(c)]
    return sum(_advance(bulk, found, now) for bulk, found in waiting) > 0


def _advance(bulk: AnyRow, found: Released, now: int) -> bool:
    if relapsed(found.total, found.failed):
        _stop(bulk, found, now)
        return False
    if found.waiting:
        return False
    with reading() as c:
        letters = next_letters(c, bulk, next_size(found.total))
    if not letters:
        finish(bulk, now)
        return False
    return run_batch(bulk, letters, bulk.done_up_to, now)


def _stop(bulk: AnyRow, found: Released, now: int) -> None:
    """What has not left stays in the list; what is on its way goes its way."""
    text = f"Parou sozinho: {NAMES[stage(found.total)]} falhou de novo ({found.failed} falhas)."
    ours = update(Bulk).where(Bulk.id == bulk.id, Bulk.state.in_(ACTIVE))
    with transaction() as tx:
        values = {"state": "stopped", "stopped": text, "finished_at": now}
        if tx.connection.execute(ours.values(values)).rowcount:
            after = {"released": found.total, "failed": found.failed}
            audit.record(tx, SYSTEM, "dlq.bulk_stopped", f"bulk:{bulk.id}", text, None, after)
