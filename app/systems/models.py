"""Tables of the systems and of the endpoints their events are delivered to."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import BigInteger, Boolean, Float, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, BigId

SEALED = 2_000
URL_LENGTH = 2_000


class EndpointStatus(StrEnum):
    """Whether an endpoint gets deliveries."""

    ACTIVE = "active"
    INACTIVE = "inactive"


class System(Base):
    """One of the nine systems the hub talks to; secrets are sealed, times in ms."""

    __tablename__ = "systems"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    label: Mapped[str] = mapped_column(String(60))
    criticality: Mapped[str] = mapped_column(String(10))
    sla_percent: Mapped[float] = mapped_column(Float)
    base_url: Mapped[str] = mapped_column(String(URL_LENGTH))
    api_key_sealed: Mapped[str] = mapped_column(String(SEALED), default="")
    webhook_secret_sealed: Mapped[str] = mapped_column(String(SEALED), default="")
    webhook_secret_previous_sealed: Mapped[str] = mapped_column(String(SEALED), default="")
    previous_until: Mapped[int | None] = mapped_column(BigInteger)
    # Requests at once per worker; null: the setting DELIVERY_IN_FLIGHT.
    in_flight_limit: Mapped[int | None] = mapped_column(Integer)
    paused: Mapped[bool] = mapped_column(Boolean, default=False)
    created_at: Mapped[int] = mapped_column(BigInteger)
    updated_at: Mapped[int] = mapped_column(BigInteger)


class Endpoint(Base):
    """An address of a system that receives events, and the secret that signs them."""

    __tablename__ = "endpoints"
    __table_args__ = (Index("ix_endpoints_system_status", "system", "status"),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    system: Mapped[str] = mapped_column(String(40), ForeignKey("systems.name"))
    url: Mapped[str] = mapped_column(String(URL_LENGTH))
    secret_sealed: Mapped[str] = mapped_column(String(SEALED))
    previous_secret_sealed: Mapped[str] = mapped_column(String(SEALED), default="")
    previous_until: Mapped[int | None] = mapped_column(BigInteger)
    status: Mapped[str] = mapped_column(String(10), default=EndpointStatus.ACTIVE)
    description: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[int] = mapped_column(BigInteger)
    updated_at: Mapped[int] = mapped_column(BigInteger)


class BreakerRow(Base):
    """The circuit breaker of a system, shared by all workers (see rules.breaker)."""

    __tablename__ = "breakers"
    system: Mapped[str] = mapped_column(String(40), primary_key=True)
    state: Mapped[str] = mapped_column(String(12), default="closed")
    failures: Mapped[int] = mapped_column(Integer, default=0)
    successes: Mapped[int] = mapped_column(Integer, default=0)
    opened_at: Mapped[int | None] = mapped_column(BigInteger)
    closed_at: Mapped[int | None] = mapped_column(BigInteger)
    probe: Mapped[str | None] = mapped_column(String(40))
    probe_until: Mapped[int | None] = mapped_column(BigInteger)
    ramp_taken: Mapped[int] = mapped_column(Integer, default=0)


class BreakerMove(Base):
    """A change of a breaker's state, with its cause; never changed afterwards."""

    __tablename__ = "breaker_moves"
    __table_args__ = (Index("ix_breaker_moves_system", "system", "id"),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    system: Mapped[str] = mapped_column(String(40))
    at: Mapped[int] = mapped_column(BigInteger)
    before: Mapped[str] = mapped_column(String(12))
    after: Mapped[str] = mapped_column(String(12))
    cause: Mapped[str] = mapped_column(String(500))
    moved_by: Mapped[str] = mapped_column(String(120))
