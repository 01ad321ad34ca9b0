"""Tables of monitoring: alerts with their history, maintenance, SLA bands and samples, scaling."""

from __future__ import annotations

from sqlalchemy import BigInteger, Float, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, BigId


class AlertRow(Base):
    """An alert from its first sight to its end; times in ms.

    `active_key` is the cause's key while the alert is open and NULL afterwards: the unique index
    lets each cause have exactly one open alert, however many schedulers look.
    """

    __tablename__ = "alerts"
    __table_args__ = (
        UniqueConstraint("active_key"),
        Index("ix_alerts_closed", "closed_at", "id"),
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    active_key: Mapped[str | None] = mapped_column(String(120))
    type: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(80), default="")
    level: Mapped[str] = mapped_column(String(12))
    worst: Mapped[str] = mapped_column(String(12))
    message: Mapped[str] = mapped_column(String(500))
    value: Mapped[float] = mapped_column(Float)
    threshold: Mapped[float | None] = mapped_column(Float)
    opened_at: Mapped[int] = mapped_column(BigInteger)
    last_seen_at: Mapped[int] = mapped_column(BigInteger)
    closed_at: Mapped[int | None] = mapped_column(BigInteger)
    acknowledged_by: Mapped[str | None] = mapped_column(String(120))
    acknowledged_at: Mapped[int | None] = mapped_column(BigInteger)
    snoozed_until: Mapped[int | None] = mapped_column(BigInteger)


class AlertEntry(Base):
    """Something that happened to an alert; never changed. `by` is '' for the hub itself."""

    __tablename__ = "alert_entries"
    __table_args__ = (Index("ix_alert_entries_alert", "alert_id", "id"),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    alert_id: Mapped[int] = mapped_column(ForeignKey("alerts.id", ondelete="CASCADE"))
    at: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(String(20))
    text: Mapped[str] = mapped_column(String(500), default="")
    by: Mapped[str] = mapped_column(String(120), default="")


class Maintenance(Base):
    """A time in which a system raises no alerts; `ends_at` moves back when it is ended early."""

    __tablename__ = "maintenance_windows"
    __table_args__ = (Index("ix_maintenance_windows_ends", "ends_at", "id"),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    system: Mapped[str] = mapped_column(String(40))
    starts_at: Mapped[int] = mapped_column(BigInteger)
    ends_at: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(String(500))
    created_by: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[int] = mapped_column(BigInteger)
    ended_by: Mapped[str] = mapped_column(String(120), default="")


class SlaBand(Base):
    """One version of a measure's limits; the newest counts. Version 0 is the runbook's."""

    __tablename__ = "sla_bands"
    measure: Mapped[str] = mapped_column(String(40), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    warning: Mapped[float] = mapped_column(Float)
    critical: Mapped[float] = mapped_column(Float)
    at: Mapped[int] = mapped_column(BigInteger)
    by: Mapped[str] = mapped_column(String(120))
    why: Mapped[str] = mapped_column(String(500))


class SlaSample(Base):
    """Values of a measure in a minute (m) or an hour (h); no row where nothing was measured."""

    __tablename__ = "sla_samples"
    measure: Mapped[str] = mapped_column(String(40), primary_key=True)
    step: Mapped[str] = mapped_column(String(1), primary_key=True)
    at: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    n: Mapped[int] = mapped_column(Integer)
    total: Mapped[float] = mapped_column(Float)
    low: Mapped[float] = mapped_column(Float)
    high: Mapped[float] = mapped_column(Float)


class ScaleOrder(Base):
    """More workers of a Procfile line until a time; one open order a line (`active_key`)."""

    __tablename__ = "scale_orders"
    __table_args__ = (UniqueConstraint("active_key"),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    active_key: Mapped[str | None] = mapped_column(String(40))
    line: Mapped[str] = mapped_column(String(40))
    count: Mapped[int] = mapped_column(Integer)
    usual: Mapped[int] = mapped_column(Integer)
    starts_at: Mapped[int] = mapped_column(BigInteger)
    ends_at: Mapped[int] = mapped_column(BigInteger)
    why: Mapped[str] = mapped_column(String(500))
    by: Mapped[str] = mapped_column(String(120))
    ended_at: Mapped[int | None] = mapped_column(BigInteger)
    ended_by: Mapped[str] = mapped_column(String(120), default="")


class AlertChannel(Base):
    """Where alerts of a level or worse are told beside the console; removed ones stay for the
    history."""

    __tablename__ = "alert_channels"
    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(String(12))
    target: Mapped[str] = mapped_column(String(500))
    level: Mapped[str] = mapped_column(String(12))
    created_by: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[int] = mapped_column(BigInteger)
    removed_at: Mapped[int | None] = mapped_column(BigInteger)


class AlertNotice(Base):
    """A notification of an alert; whether it arrived is told by its delivery (None: not sent)."""

    __tablename__ = "alert_notices"
    __table_args__ = (Index("ix_alert_notices_alert", "alert_id", "id"),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    alert_id: Mapped[int] = mapped_column(ForeignKey("alerts.id", ondelete="CASCADE"))
    channel_id: Mapped[int] = mapped_column(ForeignKey("alert_channels.id"))
    what: Mapped[str] = mapped_column(String(12))
    at: Mapped[int] = mapped_column(BigInteger)
    delivery_id: Mapped[int | None] = mapped_column(BigInteger)
