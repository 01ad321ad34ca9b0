"""Reads of the mappings domain; every one takes the connection it shall read on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, select
from sqlalchemy.engine import Connection

from app.errors import NotFound
from app.mappings.models import Mapping, Route
from app.mappings.rules import Difference, Version, compare, parse_version


@dataclass(frozen=True, slots=True)
class SavedMapping:
    """One saved version of a mapping; `text` is its document as stored, times in ms."""

    id: int
    event_type: str
    system: str
    version: Version
    text: str
    created_at: int
    created_by: str
    note: str

    @property
    def document(self) -> dict[str, object]:
        """The mapping document."""
        loaded: dict[str, object] = json.loads(self.text)
        return loaded


@dataclass(frozen=True, slots=True)
class SavedRoute:
    """Whether events of a type go to a system."""

    event_type: str
    system: str
    active: bool


NEWEST_FIRST = (
    Mapping.version_major.desc(),
    Mapping.version_minor.desc(),
    Mapping.version_patch.desc(),
)


def routes(connection: Connection, event_type: str = "") -> list[SavedRoute]:
    """All routes, inactive ones too, by event type and system; or those of one type."""
    query = select(Route.event_type, Route.system, Route.active)
    if event_type:
        query = query.where(Route.event_type == event_type)
    rows = connection.execute(query.order_by(Route.event_type, Route.system))
    return [SavedRoute(*row) for row in rows]


def newest(connection: Connection, event_type: str, system: str) -> SavedMapping | None:
    """The mapping in force for the pair; None where the payload goes as it is."""
    query = _columns(*_pair(event_type, system)).order_by(*NEWEST_FIRST).limit(1)
    row = connection.execute(query).one_or_none()
    return _saved(row) if row else None


def all_newest(
    connection: Connection, event_type: str = "", system: str = ""
) -> list[SavedMapping]:
    """The mapping in force for each pair, by event type and system; `""` is no filter."""
    place = func.row_number().over(
        partition_by=(Mapping.event_type, Mapping.system), order_by=NEWEST_FIRST
    )
    ranked = select(Mapping.id, place.label("place")).subquery()
    query = _columns(ranked.c.place == 1).join(ranked, ranked.c.id == Mapping.id)
    if event_type:
        query = query.where(Mapping.event_type == event_type)
    if system:
        query = query.where(Mapping.system == system)
    rows = connection.execute(query.order_by(Mapping.event_type, Mapping.system))
    return [_saved(row) for row in rows]


def versions(connection: Connection, event_type: str, system: str) -> list[SavedMapping]:
    """Every version of the pair, newest first; NotFound where there is none."""
    query = _columns(*_pair(event_type, system)).order_by(*NEWEST_FIRST)
    found = [_saved(row) for row in connection.execute(query)]
    if not found:
        raise NotFound("Mapping not found")
    return found


def version(connection: Connection, event_type: str, system: str, wanted: str) -> SavedMapping:
    """One version of the pair; NotFound where it does not exist."""
    query = _columns(*_pair(event_type, system), Mapping.version == wanted)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound("Mapping version not found")
    return _saved(row)


def difference(
    connection: Connection, event_type: str, system: str, old: str, new: str
) -> tuple[SavedMapping, SavedMapping, Difference]:
    """Two versions of the pair and what changed between them; NotFound for either."""
    before = version(connection, event_type, system, old)
    after = version(connection, event_type, system, new)
    return before, after, compare(before.document, after.document)


def _pair(event_type: str, system: str) -> tuple[ColumnElement[bool], ...]:
    return (Mapping.event_type == event_type, Mapping.system == system)


def _columns(*where: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    return select(
        Mapping.id,
        Mapping.event_type,
        Mapping.system,
        Mapping.version,
        Mapping.document,
        Mapping.created_at,
        Mapping.created_by,
        Mapping.note,
    ).where(*where)


def _saved(row: Row[Any]) -> SavedMapping:
    number = parse_version(row.version)
    if number is None:
        raise ValueError(f"mapping {row.id} has the impossible version {row.version!r}")
    return SavedMapping(
        row.id,
        row.event_type,
        row.system,
        number,
        row.document,
        row.created_at,
        row.created_by,
        row.note,
    )
