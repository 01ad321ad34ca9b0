"""Tables of the automations: which are on, their steps, who holds a lane, what was rated."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, BigId

WAITING, HELD, GOING = "waiting", "held", "going"
DONE, SKIPPED, FAILED, BLOCKED = "done", "skipped", "failed", "blocked"
UNFINISHED = (WAITING, HELD, GOING)


class Automation(Base):
    """An automation that operators can switch off; one that has no row is off."""

    __tablename__ = "automations"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    active: Mapped[bool] = mapped_column(Boolean, default=True)
    changed_at: Mapped[int] = mapped_column(BigInteger)
    changed_by: Mapped[str] = mapped_column(String(120))


class AutomationStep(Base):
    """One step that follows an event; written with the event, and only ever moved on.

    waiting: needs steps before it · held: only its time or its lane is missing (its event counts
    on it) · going: it is a delivery · done · skipped: there was nothing to do (`note` says why) ·
    failed: its delivery is a dead letter · blocked: needs a failed one.
    """

    __tablename__ = "automation_steps"
    __table_args__ = (
        UniqueConstraint("event_id", "step"),
        Index("ix_automation_steps_delivery", "delivery_id"),
        Index("ix_automation_steps_due", "state", "due_at"),
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("integration_events.id", ondelete="CASCADE"))
    flow: Mapped[str] = mapped_column(String(40))
    step: Mapped[str] = mapped_column(String(80))
    state: Mapped[str] = mapped_column(String(12), default=WAITING)
    # Steps of one lane are one event's at a time (see LaneHolder).
    lane: Mapped[str | None] = mapped_column(String(80))
    due_at: Mapped[int | None] = mapped_column(BigInteger)
    delivery_id: Mapped[int | None] = mapped_column(BigInteger)
    note: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[int] = mapped_column(BigInteger)
    finished_at: Mapped[int | None] = mapped_column(BigInteger)


class LaneHolder(Base):
    """The event whose steps have a lane to themselves, such as all about one phone in the CRM."""

    __tablename__ = "automation_lanes"
    lane: Mapped[str] = mapped_column(String(80), primary_key=True)
    event_id: Mapped[int] = mapped_column(BigInteger)
    taken_at: Mapped[int] = mapped_column(BigInteger)


class RatedService(Base):
    """A service for which an opinion has come, by whatever way."""

    __tablename__ = "rated_services"
    service_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    rating: Mapped[int | None] = mapped_column(Integer)
    at: Mapped[int] = mapped_column(BigInteger)
