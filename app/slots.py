"""Slots of wall-clock schedules: each is run once, by a row in the database.

Two schedulers, a restart or a container in UTC change nothing: the (job, slot) row is unique. Who
took a slot and died, or failed, before its work had ended loses it to the next who asks after
`LEASE_MS`: the jobs of slots may be begun again.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, String, delete, insert, or_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.db import Base, transaction

LEASE_MS = 5 * clock.MINUTE


class SlotRow(Base):
    """A slot of a job that was taken; `slot` is its time (ms), `done_at` None until its work has
    ended."""

    __tablename__ = "slots"
    job: Mapped[str] = mapped_column(String(60), primary_key=True)
    slot: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    taken_at: Mapped[int] = mapped_column(BigInteger)
    done_at: Mapped[int | None] = mapped_column(BigInteger)


def take(job: str, slot: int, now: int) -> bool:
    """Whether the slot is ours to run: of all who ask, one gets True until its lease is over."""
    try:
        with transaction() as tx:
            tx.connection.execute(insert(SlotRow).values(job=job, slot=slot, taken_at=now))
    except IntegrityError:
        return _take_over(job, slot, now)
    return True


def _take_over(job: str, slot: int, now: int) -> bool:
    """Take what somebody left unfinished; a lease from a clock that was ahead is over, too."""
    over = or_(SlotRow.taken_at <= now - LEASE_MS, SlotRow.taken_at > now + LEASE_MS)
    left = (SlotRow.job == job, SlotRow.slot == slot, SlotRow.done_at.is_(None), over)
    with transaction() as tx:
        return tx.connection.execute(update(SlotRow).where(*left).values(taken_at=now)).rowcount > 0


def done(job: str, slot: int, now: int) -> None:
    """The slot's work has ended: nobody takes it over."""
    with transaction() as tx:
        this = (SlotRow.job == job, SlotRow.slot == slot)
        tx.connection.execute(update(SlotRow).where(*this).values(done_at=now))


def forget(now: int, keep_ms: int = 60 * clock.DAY) -> int:
    """Delete old rows."""
    with transaction() as tx:
        return tx.connection.execute(delete(SlotRow).where(SlotRow.slot < now - keep_ms)).rowcount
