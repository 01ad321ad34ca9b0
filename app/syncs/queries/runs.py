"""Runs and their items: filtered lists, one run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.engine import Connection

from app import clock
from app.deliveries.models import DeadLetter, Delivery
from app.errors import NotFound
from app.paging import AnyRow, Page, Paging, paginate
from app.syncs.actions.deliver import names_of
from app.syncs.models import FAILED, SyncItem, SyncRun
from app.syncs.queries.board import duration, seconds

Name = Annotated[str, Field(max_length=60, pattern=r"^[\x21-\x7e]*$")]


class RunFilter(Paging):
    """The query string of the list of runs; what is empty does not filter."""

    type: Name = ""
    status: Literal["", "queued", "running", "done", "failed"] = ""


class ItemFilter(Paging):
    """The query string of a run; which of its items."""

    state: Literal["", "pending", "written", "done", "failed", "troubled"] = ""
    per_page: int = Field(25, ge=1, le=200)


def runs(c: Connection, wanted: RunFilter) -> Page:
    """Runs, newest first."""
    query = select(SyncRun.__table__).order_by(SyncRun.id.desc())
    if wanted.type:
        name = wanted.type.removeprefix("sync.").removeprefix("sync-").replace("-", "_")
        query = query.where(SyncRun.job_type == f"sync.{name}")
    if wanted.status:
        query = query.where(SyncRun.status == wanted.status)
    return paginate(c, query, wanted)


def one(c: Connection, run_id: int) -> AnyRow:
    """One run; NotFound."""
    row = c.execute(select(SyncRun.__table__).where(SyncRun.id == run_id)).one_or_none()
    if row is None:
        raise NotFound("Sync job not found")
    return row


def items(c: Connection, run_id: int, wanted: ItemFilter) -> Page:
    """Items of a run, those in trouble first."""
    query = select(SyncItem.__table__).where(SyncItem.run_id == run_id)
    if wanted.state == "troubled":
        query = query.where(SyncItem.troubled.is_(True))
    elif wanted.state:
        query = query.where(SyncItem.state == wanted.state)
    return paginate(c, query.order_by(SyncItem.troubled.desc(), SyncItem.id), wanted)


def letters(c: Connection, rows: Sequence[AnyRow]) -> dict[int, int]:
    """Dead letters of the items that were given up: item → letter."""
    failed = [row for row in rows if row.state == FAILED]
    steps = {name: row.id for row in failed for name in names_of(row.id, row.run_id)}
    if not steps:
        return {}
    query = (
        select(DeadLetter.id, Delivery.dedupe)
        .join(Delivery, Delivery.id == DeadLetter.delivery_id)
        .where(Delivery.dedupe.in_(list(steps)))
    )
    return {steps[row.dedupe]: row.id for row in c.execute(query)}


def run_json(row: AnyRow) -> dict[str, Any]:
    """A run as JSON."""
    return {
        "id": row.id,
        "job_type": row.job_type,
        "type": row.job_type.removeprefix("sync."),
        "status": row.status,
        "trigger": row.trigger,
        "asked_by": row.asked_by,
        "why": row.why,
        "total": row.total,
        "done": row.done,
        "failed": row.failed,
        "skipped": row.skipped,
        "error": row.error,
        "event_id": row.event_id,
        "created_at": clock.iso(row.created_at),
        "started_at": clock.iso(row.started_at),
        "finished_at": clock.iso(row.finished_at),
        "duration_seconds": seconds(duration(row)),
    }


def item_json(row: AnyRow, letter: int | None = None) -> dict[str, Any]:
    """An item as JSON, without what the source sent (that may be personal)."""
    return {
        "id": row.id,
        "source_id": row.source_id,
        "state": row.state,
        "target_id": row.target_id,
        "attempts": row.attempts,
        "error": row.error,
        "dead_letter_id": letter,
        "created_at": clock.iso(row.created_at),
        "changed_at": clock.iso(row.changed_at),
    }
