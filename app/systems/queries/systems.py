"""Reads of the systems for people and for the JSON door; secrets never leave here."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.engine import Connection

from app.errors import NotFound
from app.paging import AnyRow
from app.systems.models import System

COLUMNS = (
    System.name,
    System.label,
    System.criticality,
    System.sla_percent,
    System.base_url,
    System.in_flight_limit,
    System.paused,
    System.updated_at,
)


def list_systems(connection: Connection) -> Sequence[AnyRow]:
    """All systems by name."""
    return connection.execute(select(*COLUMNS).order_by(System.name)).all()


def find_system(connection: Connection, name: str) -> AnyRow:
    """One system; NotFound."""
    found = connection.execute(select(*COLUMNS).where(System.name == name)).one_or_none()
    if found is None:
        raise NotFound("System not found")
    return found
