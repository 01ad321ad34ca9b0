"""Tables of the mappings domain: routes and versioned mappings."""

from __future__ import annotations

from sqlalchemy import BigInteger, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, BigId

EVENT_TYPE_LENGTH = 80
SYSTEM_LENGTH = 40
BY_LENGTH = 120
NOTE_LENGTH = 500


class Route(Base):
    """Events of a type go to a system while the route is active; times in ms."""

    __tablename__ = "routes"
    __table_args__ = (UniqueConstraint("event_type", "system"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    event_type: Mapped[str] = mapped_column(String(EVENT_TYPE_LENGTH))
    system: Mapped[str] = mapped_column(String(SYSTEM_LENGTH))
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[int] = mapped_column(BigInteger)
    updated_at: Mapped[int] = mapped_column(BigInteger)


class Mapping(Base):
    """One version of the shape that a system gets an event type in; never changed once saved."""

    __tablename__ = "mappings"
    __table_args__ = (UniqueConstraint("event_type", "system", "version"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    event_type: Mapped[str] = mapped_column(String(EVENT_TYPE_LENGTH))
    system: Mapped[str] = mapped_column(String(SYSTEM_LENGTH))
    version: Mapped[str] = mapped_column(String(32))
    # The parts as numbers, because as text 1.0.10 sorts before 1.0.9.
    version_major: Mapped[int] = mapped_column(Integer)
    version_minor: Mapped[int] = mapped_column(Integer)
    version_patch: Mapped[int] = mapped_column(Integer)
    document: Mapped[str] = mapped_column(Text)
    created_at: Mapped[int] = mapped_column(BigInteger)
    created_by: Mapped[str] = mapped_column(String(BY_LENGTH))
    note: Mapped[str] = mapped_column(String(NOTE_LENGTH), default="")
