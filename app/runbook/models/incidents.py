"""Tables of incidents: the incident, its timeline, escalation steps taken, notices sent."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Integer, String, Text
from sqlalchemy import UniqueConstraint as Unique
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, BigId


class Incident(Base):
    """Something that needs people until it is over; times in ms.

    `active_key` names where it came from while it is open (NULL afterwards): one open incident
    for a cause. `alert_key` is the cause of the alert it follows. `called_level` is the level
    that was called and has not answered yet. `touched_at` is the last thing a person did.
    `rules_json` are the escalation rules as they were at its start.
    """

    __tablename__ = "incidents"
    __table_args__ = (
        Unique("active_key"),
        Index("ix_incidents_state", "state", "opened_at", "id"),
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    active_key: Mapped[str | None] = mapped_column(String(160))
    alert_key: Mapped[str] = mapped_column(String(120), default="")
    system: Mapped[str] = mapped_column(String(80), default="")
    origin: Mapped[str] = mapped_column(String(12), default="")
    origin_ref: Mapped[str] = mapped_column(String(80), default="")
    title: Mapped[str] = mapped_column(String(200))
    details: Mapped[str] = mapped_column(Text, default="")
    severity: Mapped[str] = mapped_column(String(12))
    state: Mapped[str] = mapped_column(String(12))
    level: Mapped[int] = mapped_column(Integer, default=1)
    called_level: Mapped[int | None] = mapped_column(Integer)
    rules_json: Mapped[str] = mapped_column(Text)
    unavailable_since: Mapped[int | None] = mapped_column(BigInteger)
    opened_at: Mapped[int] = mapped_column(BigInteger)
    opened_by: Mapped[str] = mapped_column(String(120))
    # When the time until level 2 began: the opening, or the last reopening.
    counted_from: Mapped[int] = mapped_column(BigInteger)
    owner_id: Mapped[int | None] = mapped_column(BigInteger)
    owner_name: Mapped[str] = mapped_column(String(120), default="")
    acknowledged_at: Mapped[int | None] = mapped_column(BigInteger)
    touched_at: Mapped[int] = mapped_column(BigInteger)
    resolved_at: Mapped[int | None] = mapped_column(BigInteger)
    resolved_by: Mapped[str] = mapped_column(String(120), default="")
    resolution: Mapped[str] = mapped_column(Text, default="")
    # Up to where the audit trail has been told in the timeline.
    audit_seen: Mapped[int] = mapped_column(BigInteger, default=0)


class IncidentEntry(Base):
    """One thing that happened in an incident; never changed. `by_name` is '' for the hub."""

    __tablename__ = "incident_entries"
    __table_args__ = (Index("ix_incident_entries_incident", "incident_id", "id"),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id", ondelete="CASCADE"))
    at: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(String(24))
    text: Mapped[str] = mapped_column(Text, default="")
    by_name: Mapped[str] = mapped_column(String(120), default="")
    url: Mapped[str] = mapped_column(String(200), default="")


class IncidentStep(Base):
    """An escalation the clock has made: its key happens once, whatever restarts or doubles."""

    __tablename__ = "incident_steps"
    incident_id: Mapped[int] = mapped_column(
        ForeignKey("incidents.id", ondelete="CASCADE"), primary_key=True
    )
    step: Mapped[str] = mapped_column(String(40), primary_key=True)
    at: Mapped[int] = mapped_column(BigInteger)
    from_level: Mapped[int] = mapped_column(Integer)
    to_level: Mapped[int] = mapped_column(Integer)


class IncidentNotice(Base):
    """An e-mail about an incident; `settled_at` once the timeline says whether it arrived."""

    __tablename__ = "incident_notices"
    __table_args__ = (Index("ix_incident_notices_settled", "settled_at", "id"),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id", ondelete="CASCADE"))
    delivery_id: Mapped[int] = mapped_column(BigInteger)
    address: Mapped[str] = mapped_column(String(190))
    settled_at: Mapped[int | None] = mapped_column(BigInteger)
    arrived: Mapped[bool | None] = mapped_column(Boolean)
