"""Tables of the events that came in."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Index, Integer, LargeBinary, String, UniqueConstraint
from sqlalchemy.dialects.mysql import MEDIUMBLOB
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, BigId

Bytes = LargeBinary().with_variant(MEDIUMBLOB(), "mysql", "mariadb")

PENDING, PROCESSING, DONE, FAILED = "pending", "processing", "done", "failed"
STATUSES = (PENDING, PROCESSING, DONE, FAILED)


class Event(Base):
    """Something that happened in one of the systems, as it came and as it is passed on.

    pending: no system has it yet · processing: some have, or are being retried · done: all that
    should have it, have it · failed: at least one delivery is a dead letter.
    """

    __tablename__ = "integration_events"
    __table_args__ = (
        UniqueConstraint("source_system", "idempotency_key"),
        Index("ix_integration_events_created", "created_at", "id"),
        Index("ix_integration_events_status", "status", "created_at", "id"),
        Index("ix_integration_events_type", "event_type", "created_at", "id"),
        Index("ix_integration_events_source", "source_system", "created_at", "id"),
        Index("ix_integration_events_planned", "planned", "id"),
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    event_type: Mapped[str] = mapped_column(String(80))
    source_system: Mapped[str] = mapped_column(String(40))
    status: Mapped[str] = mapped_column(String(12), default=PENDING)
    idempotency_key: Mapped[str | None] = mapped_column(String(200))
    fingerprint: Mapped[str] = mapped_column(String(64))
    payload: Mapped[bytes] = mapped_column(Bytes)
    raw: Mapped[bytes] = mapped_column(Bytes)
    received_via: Mapped[str] = mapped_column(String(80))
    verified: Mapped[bool] = mapped_column(Boolean)
    planned: Mapped[bool] = mapped_column(Boolean, default=False)
    plan_failures: Mapped[int] = mapped_column(Integer, default=0)
    open_count: Mapped[int] = mapped_column(Integer, default=0)
    failed_count: Mapped[int] = mapped_column(Integer, default=0)
    created_at: Mapped[int] = mapped_column(BigInteger)
    finished_at: Mapped[int | None] = mapped_column(BigInteger)
