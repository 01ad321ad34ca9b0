"""Tables of escalation: whom each level is reached at, and the rules of time, with versions."""

from __future__ import annotations

from sqlalchemy import BigInteger, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base


class Contact(Base):
    """How a level is reached; a level without a row has what the runbook says."""

    __tablename__ = "contacts"
    level: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(120))
    email: Mapped[str] = mapped_column(String(190))
    phone: Mapped[str] = mapped_column(String(40), default="")
    calls_for: Mapped[str] = mapped_column(String(200), default="")
    changed_at: Mapped[int] = mapped_column(BigInteger)
    changed_by: Mapped[str] = mapped_column(String(120))


class EscalationRule(Base):
    """One version of the rules, in minutes; the newest counts for incidents that begin."""

    __tablename__ = "escalation_rules"
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    persists: Mapped[int] = mapped_column(Integer)
    unavailable: Mapped[int] = mapped_column(Integer)
    idle: Mapped[int] = mapped_column(Integer)
    at: Mapped[int] = mapped_column(BigInteger)
    by: Mapped[str] = mapped_column(String(120))
    why: Mapped[str] = mapped_column(String(500))
