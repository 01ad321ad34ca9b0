"""Slots of wall-clock schedules: each is run once, by a row in the database.

Two schedulers, a restart or a container in UTC change nothing: the (job, slot) row is unique.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, String, delete, insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.db import Base, transaction


class SlotRow(Base):
    """A slot of a job that was taken; `slot` is its time (ms)."""

    __tablename__ = "slots"
    job: Mapped[str] = mapped_column(String(60), primary_key=True)
    slot: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    taken_at: Mapped[int] = mapped_column(BigInteger)


def take(job: str, slot: int, now: int) -> bool:
    """Whether the slot is ours to run: exactly one caller gets True, ever."""
    try:
        with transaction() as tx:
            tx.connection.execute(insert(SlotRow).values(job=job, slot=slot, taken_at=now))
    except IntegrityError:
        return False
    return True


def forget(now: int, keep_ms: int = 60 * clock.DAY) -> int:
    """Delete old rows."""
    with transaction() as tx:
        return tx.connection.execute(delete(SlotRow).where(SlotRow.slot < now - keep_ms)).rowcount
