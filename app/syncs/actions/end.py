"""End: when a run is over, what it says, and the event that its deliveries hang on."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert, select, update

from app import counters
from app.counters import Count
from app.db import Tx
from app.deliveries.actions.conclude import settle_events
from app.events.models import PROCESSING, Event
from app.facts import SyncAsked
from app.payloads import dump_json
from app.syncs.models import DONE, FAILED, RUNNING, SyncItem, SyncRun
from app.syncs.rules import timing
from app.syncs.rules.table import Sync, fingerprint

SOURCE = "integracoes"


def open_event(tx: Tx, event_id: int, run: Any, sync: Sync, now: int) -> None:
    """The event of a run that has items; it stays open until the run lets go of it."""
    payload = {"run_id": run.id, "job_type": sync.job_type, "trigger": run.trigger}
    body = dump_json(payload)
    tx.connection.execute(
        insert(Event).values(
            id=event_id, event_type=sync.job_type, source_system=SOURCE, status=PROCESSING,
            idempotency_key=f"run-{run.id}-{run.created_at}", fingerprint=fingerprint(payload),
            payload=body, raw=body, received_via=f"sync:{run.id}", verified=True, planned=True,
            plan_failures=0, open_count=1, failed_count=0, created_at=now, finished_at=None,
        )
    )  # fmt: skip
    counters.add(tx.connection, [Count("events.accepted", sync.job_type, SOURCE)], now)


def settle(tx: Tx, run_id: int, now: int) -> bool:
    """End a run none of whose items is untried; whether it is over."""
    run = locked(tx, run_id)
    if run.status != RUNNING:
        return _recover(tx, run, now)
    if not run.planned or run.done + run.failed < run.total:
        return False
    finish(tx, run, now)
    return True


def locked(tx: Tx, run_id: int) -> Any:
    """The run, ours until the commit."""
    query = select(SyncRun.__table__).where(SyncRun.id == run_id)
    if tx.connection.dialect.name != "sqlite":
        query = query.with_for_update()
    return tx.connection.execute(query).one()


def finish(tx: Tx, run: Any, now: int, error: str = "") -> None:
    """Write the run's end, count it, let go of its event, and let the run behind it begin."""
    error = error or run.error
    if run.failed and not error:
        error = timing.reason(run.failed, run.total, _first_error(tx, run.id))
    status = FAILED if error else DONE
    tx.connection.execute(
        update(SyncRun).where(SyncRun.id == run.id).values(
            status=status, error=error[:500], active_key=None, lease=None, lease_until=None,
            finished_at=now, moved_at=now, planned=True,
        )
    )  # fmt: skip
    counters.add(tx.connection, [Count(f"syncs.{status}", run.job_type, "")], now)
    if run.event_id is not None:
        settle_events(tx, {run.event_id: ["released"]}, now)
    tx.tell(SyncAsked([run.id]))


def _first_error(tx: Tx, run_id: int) -> str:
    query = select(SyncItem.error).where(SyncItem.run_id == run_id, SyncItem.troubled.is_(True))
    return tx.connection.scalar(query.order_by(SyncItem.id).limit(1)) or ""


def _recover(tx: Tx, run: Any, now: int) -> bool:
    """A run that ended as failed is done once its last item got through; not if its source was
    never read to the end."""
    if run.status == FAILED and run.cursor is None and run.total and run.done >= run.total:
        late = _late(tx, run)
        changed = {"status": DONE, "error": timing.recovered(late), "moved_at": now}
        tx.connection.execute(update(SyncRun).where(SyncRun.id == run.id).values(**changed))
        counts = [
            Count("syncs.failed", run.job_type, "", -1),
            Count("syncs.done", run.job_type, ""),
        ]
        counters.add(tx.connection, counts, run.finished_at or now)
    return True


def _late(tx: Tx, run: Any) -> int:
    """How many of its items got through after its end."""
    query = select(SyncItem.id).where(
        SyncItem.run_id == run.id, SyncItem.changed_at > (run.finished_at or 0)
    )
    return len(tx.connection.execute(query).all())
