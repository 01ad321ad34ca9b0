"""Take: a run that wants a worker, under a lease; a killed worker's run comes back by itself."""

from __future__ import annotations

import secrets
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.orm import aliased

from app import clock
from app.config import Settings
from app.db import Tx, transaction
from app.paging import AnyRow
from app.syncs.models import ACTIVE, RUNNING, SyncRun

# Further ahead than clocks of healthy machines differ, ms.
SKEW_MS = 5_000
# So many workers in a row may be lost over a run before it is read no further.
MOST_LOST = 3


def lease_ms(settings: Settings) -> int:
    """How long a worker may be silent over a run: a page takes one call, planning far less."""
    return round(settings.call_timeout * 1000) + 20 * clock.SECOND


def wanting(now: int, lease: int) -> list[ColumnElement[bool]]:
    """Runs that want a worker: not read or planned yet, in nobody's hands, not to wait."""
    before = aliased(SyncRun)
    waits = (
        select(before.id)
        .where(before.id == SyncRun.after_run, before.status.in_(ACTIVE))
        .correlate(SyncRun)
        .exists()
    )
    free = or_(
        SyncRun.lease.is_(None),
        SyncRun.lease_until <= now,
        # Written by a clock that has stepped back since.
        SyncRun.lease_until > now + lease + SKEW_MS,
    )
    return [SyncRun.status.in_(ACTIVE), SyncRun.planned.is_(False), free, ~waits]


def has_work(c: Connection, now: int, lease: int) -> bool:
    """Whether some run wants a worker."""
    query = select(SyncRun.id).where(*wanting(now, lease)).limit(1)
    return c.execute(query).first() is not None


def take(now: int, lease: int) -> AnyRow | None:
    """The oldest run that wants a worker, ours for `lease` ms; None where there is none."""
    with transaction(durable=False) as tx:
        query = select(SyncRun.id, SyncRun.lease).where(*wanting(now, lease)).order_by(SyncRun.id)
        row = tx.connection.execute(query.limit(1)).one_or_none()
        if row is None:
            return None
        same = SyncRun.lease.is_(None) if row.lease is None else SyncRun.lease == row.lease
        ours = update(SyncRun).where(SyncRun.id == row.id, same)
        held = ours.values(
            lease=_next(row.lease), lease_until=now + lease, status=RUNNING, moved_at=now,
            started_at=func.coalesce(SyncRun.started_at, now),
        )  # fmt: skip
        if not tx.connection.execute(held).rowcount:
            return None
        return tx.connection.execute(select(SyncRun.__table__).where(SyncRun.id == row.id)).one()


def losses(lease: str | None) -> int:
    """How many workers in a row have not let go of the run that is now under the lease."""
    count, dash, _ = (lease or "").partition("-")
    # Leases of earlier releases do not say.
    return int(count) if dash else 0


def _next(before: str | None) -> str:
    """A new lease; one that nobody let go of was lost with its worker (or its database)."""
    return f"{losses(before) + (before is not None)}-{secrets.token_hex(8)}"


def held(tx: Tx, run: AnyRow, now: int, lease: int, **values: Any) -> bool:
    """Write to a run that we hold, and hold it on; False where somebody took it over."""
    same = update(SyncRun).where(SyncRun.id == run.id, SyncRun.lease == run.lease)
    values = {"lease_until": now + lease, "moved_at": now, **values}
    return bool(tx.connection.execute(same.values(**values)).rowcount)


def release(run: AnyRow) -> None:
    """Let go of a run; whoever comes next goes on with it."""
    with transaction(durable=False) as tx:
        same = update(SyncRun).where(SyncRun.id == run.id, SyncRun.lease == run.lease)
        tx.connection.execute(same.values(lease=None, lease_until=None))
