"""Changing where events go."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import insert, update

from app.access.actions.audit import record
from app.access.actor import Actor
from app.db import Tx
from app.mappings.actions.save import write_unique
from app.mappings.models import Route
from app.mappings.queries import SavedRoute, routes
from app.mappings.rules import MappingError, check_pair


def set_routes(event_type: str, systems: Iterable[str], *, by: Actor, now: int) -> list[SavedRoute]:
    """Send events of the type to exactly these systems from now on.

    Routes to other systems stay, inactive, so that the seed does not bring them back. Events
    already planned keep their deliveries. Invalid for unknown systems.
    """
    wanted = set(systems)
    if problems := [found for name in sorted(wanted) for found in check_pair(event_type, name)]:
        raise MappingError(problems)

    def write(tx: Tx) -> list[SavedRoute]:
        known = routes(tx.connection, event_type)
        names = sorted({route.system for route in known} | wanted)
        chosen = [SavedRoute(event_type, name, name in wanted) for name in names]
        put_routes(tx, chosen, now=now)
        was = [route.system for route in known if route.active]
        record(tx, by, "route.changed", f"route:{event_type}", before=was, after=sorted(wanted))
        return chosen

    return write_unique(write)


def switch_route(
    event_type: str, system: str, active: bool, *, by: Actor, now: int, why: str | None = None
) -> bool:
    """Switch one route on (made if it is new) or off; whether that changed anything.

    Unlike `set_routes` it leaves the type's other routes alone, so that two people may each
    switch theirs. Invalid for an unknown system or a type that is none.
    """
    if problems := check_pair(event_type, system):
        raise MappingError(problems)
    wanted = SavedRoute(event_type, system, active)

    def write(tx: Tx) -> bool:
        known = {route.system: route.active for route in routes(tx.connection, event_type)}
        if known.get(system, False) == active:
            return False
        put_routes(tx, [wanted], now=now)
        states = {"before": {system: not active}, "after": {system: active}}
        record(tx, by, "route.changed", f"route:{event_type}", why, **states)
        return True

    return write_unique(write)


def put_routes(tx: Tx, chosen: Iterable[SavedRoute], *, now: int) -> None:
    """Write the routes that are new or changed; all others stay as they are."""
    before = routes(tx.connection)
    known = {(route.event_type, route.system) for route in before}
    for route in changed_routes(before, chosen):
        if (route.event_type, route.system) in known:
            _switch(tx, route, now)
        else:
            _add(tx, route, now)


def changed_routes(before: Iterable[SavedRoute], after: Iterable[SavedRoute]) -> list[SavedRoute]:
    """The routes that are not yet as wanted."""
    same = set(before)
    return [route for route in after if route not in same]


def _switch(tx: Tx, route: SavedRoute, now: int) -> None:
    tx.connection.execute(
        update(Route)
        .where(Route.event_type == route.event_type, Route.system == route.system)
        .values(active=route.active, updated_at=now)
    )


def _add(tx: Tx, route: SavedRoute, now: int) -> None:
    tx.connection.execute(
        insert(Route).values(
            event_type=route.event_type,
            system=route.system,
            active=route.active,
            created_at=now,
            updated_at=now,
        )
    )
