"""Where each event type goes now, in which shape: a snapshot kept in the process for intake.

A change made in this process is seen at once, one made elsewhere within PLAN_SECONDS.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine

from app import clock
from app.mappings.queries import saved
from app.mappings.rules import MappingError, Problem, Transform, compile_mapping

PLAN_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Destination:
    """A system that gets an event, and the shape it gets it in."""

    system: str
    mapping_version: str | None
    transform: Transform | None
    fault: MappingError | None = None

    def shape(self, payload: object) -> object:
        """The payload as this system expects it; MappingError where the mapping is broken."""
        if self.fault is not None:
            raise self.fault
        return payload if self.transform is None else self.transform(payload)


Plan = Mapping[str, tuple[Destination, ...]]


class _Plans:
    """The newest snapshot of each database; readers never wait for one another for long."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: WeakKeyDictionary[Engine, tuple[float, Plan]] = WeakKeyDictionary()
        self._generation = 0

    def get(self, connection: Connection) -> Plan:
        kept = self._kept.get(connection.engine)
        if kept is not None and clock.monotonic() < kept[0]:
            return kept[1]
        generation = self._generation
        plan = read_plan(connection)
        with self._lock:
            # Read before a change that was committed meanwhile: good for this caller only.
            if generation == self._generation:
                self._kept[connection.engine] = (clock.monotonic() + PLAN_SECONDS, plan)
        return plan

    def forget(self) -> None:
        with self._lock:
            self._generation += 1
            self._kept.clear()


_plans = _Plans()


def current_plan(connection: Connection) -> Plan:
    """{event type: destinations}, at most PLAN_SECONDS old; a type without routes is absent."""
    return _plans.get(connection)


def forget_plan() -> None:
    """Drop the snapshot; call it after the commit of a change."""
    _plans.forget()


def read_plan(connection: Connection) -> Plan:
    """The plan as the database has it now."""
    mappings = {(item.event_type, item.system): item for item in saved.all_newest(connection)}
    plan: dict[str, list[Destination]] = {}
    for route in saved.routes(connection):
        if route.active:
            mapping = mappings.get((route.event_type, route.system))
            plan.setdefault(route.event_type, []).append(_destination(route.system, mapping))
    return MappingProxyType({name: tuple(found) for name, found in plan.items()})


def _destination(system: str, mapping: saved.SavedMapping | None) -> Destination:
    """A broken document spoils its own destination only, never the whole plan."""
    if mapping is None:
        return Destination(system, None, None)
    try:
        return Destination(system, str(mapping.version), _compiled(mapping.text))
    except MappingError as fault:
        return Destination(system, str(mapping.version), None, fault)


@lru_cache(maxsize=1024)
def _compiled(text: str) -> Transform:
    try:
        document = json.loads(text)
    except ValueError:
        raise MappingError([Problem("mapping", "não é JSON.")]) from None
    return compile_mapping(document)
