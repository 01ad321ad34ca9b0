"""Export and import of routes and mappings: all of it or none of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import Connection

from app.access.actions.audit import record
from app.access.actor import Actor
from app.db import Tx
from app.mappings.actions.routing import changed_routes, put_routes
from app.mappings.actions.save import Draft, insert_version, write_unique
from app.mappings.queries import SavedRoute, all_newest, routes
from app.mappings.rules import MappingError
from app.mappings.rules.exchange import (
    Exchange,
    MappingChange,
    MappingEntry,
    RouteEntry,
    check_exchange,
    plan_mappings,
)


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What an import changes: routes as they become, and the versions to save."""

    routes: list[SavedRoute]
    mappings: list[MappingChange]

    def summary(self) -> dict[str, list[str]]:
        """What changes, in a line each, for the audit trail."""
        return {
            "routes": [
                f"{route.event_type} {route.system} {'on' if route.active else 'off'}"
                for route in self.routes
            ],
            "mappings": [
                f"{' '.join(change.entry.pair)} {change.version}" for change in self.mappings
            ],
        }

    def as_data(self) -> dict[str, Any]:
        """The plan as JSON."""
        changed = [
            {"event_type": item.event_type, "target_system": item.system, "active": item.active}
            for item in self.routes
        ]
        return {"routes": changed, "mappings": [change.as_data() for change in self.mappings]}


def export_all(connection: Connection) -> Exchange:
    """All routes and the mapping in force for each pair; the same state gives the same file."""
    return Exchange(
        routes=[
            RouteEntry(event_type=item.event_type, target_system=item.system, active=item.active)
            for item in routes(connection)
        ],
        mappings=[
            MappingEntry(
                event_type=item.event_type,
                target_system=item.system,
                version=str(item.version),
                mapping=item.document,
                note=item.note,
            )
            for item in all_newest(connection)
        ],
    )


def preview_import(connection: Connection, exchange: Exchange) -> ImportPlan:
    """What importing the file would change; Invalid names everything wrong in it."""
    if problems := check_exchange(exchange):
        raise MappingError(problems)
    current = {
        (item.event_type, item.system): (item.version, item.document)
        for item in all_newest(connection)
    }
    wanted = [SavedRoute(*route.pair, active=route.active) for route in exchange.routes]
    return ImportPlan(
        routes=changed_routes(routes(connection), wanted),
        mappings=plan_mappings(exchange.mappings, current),
    )


def import_all(exchange: Exchange, *, by: Actor, now: int) -> ImportPlan:
    """Bring the file's routes and mappings into force, in one transaction.

    What the file does not name stays as it is. Importing the same file again changes nothing.
    """

    def write(tx: Tx) -> ImportPlan:
        plan = preview_import(tx.connection, exchange)
        put_routes(tx, plan.routes, now=now)
        for change in plan.mappings:
            entry = change.entry
            draft = Draft(*entry.pair, entry.mapping, by, now, entry.note)
            insert_version(tx, draft, change.version)
        if plan.routes or plan.mappings:
            record(tx, by, "mapping.imported", "mappings", after=plan.summary())
        return plan

    return write_unique(write)
