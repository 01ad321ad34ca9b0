"""Maintenance windows: which systems raise nothing now, and what was planned."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.engine import Connection

from app.monitoring.models import Maintenance
from app.paging import AnyRow


def maintained(c: Connection, now: int) -> frozenset[str]:
    """Systems in maintenance at `now` (ms)."""
    query = select(Maintenance.system).where(Maintenance.ends_at > now)
    return frozenset(c.execute(query.where(Maintenance.starts_at <= now)).scalars())


def windows(c: Connection, now: int) -> Sequence[AnyRow]:
    """Windows that run or are to come, the first to begin first."""
    query = select(Maintenance.__table__).where(Maintenance.ends_at > now)
    return c.execute(query.order_by(Maintenance.starts_at, Maintenance.id).limit(50)).all()


def past_windows(c: Connection, now: int, count: int = 10) -> Sequence[AnyRow]:
    """The last windows that are over."""
    query = select(Maintenance.__table__).where(Maintenance.ends_at <= now)
    return c.execute(query.order_by(Maintenance.ends_at.desc()).limit(count)).all()
