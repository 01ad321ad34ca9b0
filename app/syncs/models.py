"""Tables of the scheduled pulls: their runs, the items of the runs, their schedules."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, BigId

QUEUED, RUNNING, DONE, FAILED = "queued", "running", "done", "failed"
ACTIVE = (QUEUED, RUNNING)
PENDING, WRITTEN = "pending", "written"
SCHEDULE, MANUAL = "schedule", "manual"


class SyncRun(Base):
    """One run of a sync.

    queued: waits for a worker · running: reads the source, plans the items, waits for them ·
    done: every item got through · failed: the source could not be read, or items did not get
    through (they are retried on their own; when the last one does, the run is done).

    `active_key` is the job type while the run is queued or running: there is never a second one.
    While the source is read the run is held under `lease` until `lease_until`; whoever finds
    that in the past takes the run over at `cursor`.
    """

    __tablename__ = "sync_runs"
    __table_args__ = (
        UniqueConstraint("active_key"),
        Index("ix_sync_runs_type", "job_type", "id"),
        Index("ix_sync_runs_status", "status", "id"),
        Index("ix_sync_runs_finished", "finished_at"),
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    job_type: Mapped[str] = mapped_column(String(60))
    status: Mapped[str] = mapped_column(String(12), default=QUEUED)
    active_key: Mapped[str | None] = mapped_column(String(60))
    trigger: Mapped[str] = mapped_column(String(12))
    asked_by: Mapped[str] = mapped_column(String(120), default="")
    why: Mapped[str] = mapped_column(String(500), default="")
    # Time of the schedule's slot that it runs for, ms.
    slot: Mapped[int | None] = mapped_column(BigInteger)
    # `full`: the run that must end first.
    after_run: Mapped[int | None] = mapped_column(BigInteger)
    # The event that its deliveries hang on.
    event_id: Mapped[int | None] = mapped_column(BigInteger)
    # Page of the source read next; null once all were read.
    cursor: Mapped[int | None] = mapped_column(Integer, default=1)
    # Items up to this id have their delivery.
    planned_up_to: Mapped[int] = mapped_column(BigInteger, default=0)
    planned: Mapped[bool] = mapped_column(Boolean, default=False)
    lease: Mapped[str | None] = mapped_column(String(40))
    lease_until: Mapped[int | None] = mapped_column(BigInteger)
    total: Mapped[int] = mapped_column(Integer, default=0)
    done: Mapped[int] = mapped_column(Integer, default=0)
    failed: Mapped[int] = mapped_column(Integer, default=0)
    skipped: Mapped[int] = mapped_column(Integer, default=0)
    error: Mapped[str] = mapped_column(String(500), default="")
    created_at: Mapped[int] = mapped_column(BigInteger)
    started_at: Mapped[int | None] = mapped_column(BigInteger)
    # When something last happened to it.
    moved_at: Mapped[int] = mapped_column(BigInteger)
    finished_at: Mapped[int | None] = mapped_column(BigInteger)


class SyncItem(Base):
    """One thing a run read, in one version; unique, so that it is never written a second time.

    pending: to be written · written: the target has it, the source does not know yet ·
    done: confirmed · failed: given up (see its dead letter).
    `troubled` once an attempt failed: its run counts it as failed until it is done.
    """

    __tablename__ = "sync_items"
    __table_args__ = (
        UniqueConstraint("job_type", "source_id", "version"),
        Index("ix_sync_items_run", "run_id", "id"),
        Index("ix_sync_items_state", "run_id", "state"),
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("sync_runs.id", ondelete="CASCADE"))
    job_type: Mapped[str] = mapped_column(String(60))
    source_id: Mapped[str] = mapped_column(String(80))
    version: Mapped[str] = mapped_column(String(40), default="")
    state: Mapped[str] = mapped_column(String(12), default=PENDING)
    target_id: Mapped[str | None] = mapped_column(String(80))
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    troubled: Mapped[bool] = mapped_column(Boolean, default=False)
    error: Mapped[str] = mapped_column(String(500), default="")
    # JSON as the source gave it.
    payload: Mapped[str] = mapped_column(Text)
    idempotency_key: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[int] = mapped_column(BigInteger)
    changed_at: Mapped[int] = mapped_column(BigInteger)


class SyncSchedule(Base):
    """Whether a sync runs by the clock; `since` is when it was put on it, ms."""

    __tablename__ = "sync_schedules"
    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    since: Mapped[int] = mapped_column(BigInteger)
    paused: Mapped[bool] = mapped_column(Boolean, default=False)
    changed_at: Mapped[int] = mapped_column(BigInteger)
    changed_by: Mapped[str] = mapped_column(String(120), default="")
    why: Mapped[str] = mapped_column(String(500), default="")
