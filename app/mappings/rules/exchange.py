"""The file that carries routes and mappings between hubs, and what importing one would do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.mappings.rules.difference import Difference, compare
from app.mappings.rules.grammar import Problem, below, check
from app.mappings.rules.pairs import check_pair
from app.mappings.rules.versions import FIRST_VERSION, Version, parse_version

Pair = tuple[str, str]


class RouteEntry(BaseModel):
    """One route of the file."""

    model_config = ConfigDict(extra="forbid")

    event_type: str
    target_system: str
    active: bool

    @property
    def pair(self) -> Pair:
        """What the route belongs to."""
        return self.event_type, self.target_system


class MappingEntry(BaseModel):
    """The mapping in force for one pair, with the version it had."""

    model_config = ConfigDict(extra="forbid")

    event_type: str
    target_system: str
    version: str
    mapping: dict[str, Any]
    note: Annotated[str, StringConstraints(max_length=500)] = ""

    @property
    def pair(self) -> Pair:
        """What the mapping belongs to."""
        return self.event_type, self.target_system


class Exchange(BaseModel):
    """A whole file; parts left out stay as they are."""

    model_config = ConfigDict(extra="forbid")

    routes: list[RouteEntry] = Field(default_factory=list, max_length=5_000)
    mappings: list[MappingEntry] = Field(default_factory=list, max_length=5_000)


@dataclass(frozen=True, slots=True)
class MappingChange:
    """A version that an import saves: what it replaces (None: nothing) and how it differs."""

    entry: MappingEntry
    before: Version | None
    version: Version
    difference: Difference

    def as_data(self) -> dict[str, Any]:
        """The change as JSON."""
        return {
            "event_type": self.entry.event_type,
            "target_system": self.entry.target_system,
            "from": str(self.before) if self.before else None,
            "to": str(self.version),
            "diff": self.difference.as_data(),
        }


def check_exchange(exchange: Exchange) -> list[Problem]:
    """All problems of a file whose form is right, with fields as `mappings.3.mapping.name`."""
    problems: list[Problem] = []
    for place, route in enumerate(exchange.routes):
        problems += below(f"routes.{place}", check_pair(*route.pair))
    for place, entry in enumerate(exchange.mappings):
        field = f"mappings.{place}"
        problems += below(field, check_pair(*entry.pair))
        problems += below(f"{field}.mapping", check(entry.mapping))
        if parse_version(entry.version) is None:
            problems.append(Problem(f"{field}.version", "deve ser como “1.0.0”."))
    problems += _repeated("routes", [route.pair for route in exchange.routes])
    return problems + _repeated("mappings", [entry.pair for entry in exchange.mappings])


def plan_mappings(
    entries: Iterable[MappingEntry], current: Mapping[Pair, tuple[Version, dict[str, object]]]
) -> list[MappingChange]:
    """The versions to save so that every entry is in force; equal ones are left out.

    An entry keeps its own version where that is newer than the one here, else it becomes the
    next patch: old versions stay, and the newest wins.
    """
    changes = []
    for entry in entries:
        before, document = current.get(entry.pair, (None, {}))
        difference = compare(document, entry.mapping)
        if before is None or not difference.is_empty:
            changes.append(MappingChange(entry, before, _version(entry, before), difference))
    return changes


def _version(entry: MappingEntry, before: Version | None) -> Version:
    own = parse_version(entry.version) or FIRST_VERSION
    return own if before is None or own > before else before.next_patch()


def _repeated(field: str, pairs: list[Pair]) -> list[Problem]:
    seen: set[Pair] = set()
    problems = []
    for place, pair in enumerate(pairs):
        if pair in seen:
            problems.append(Problem(f"{field}.{place}", "repete um par de evento e sistema."))
        seen.add(pair)
    return problems
