"""Backup of the endpoints and the way back, all or nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import Connection

from app.access.actions.audit import record
from app.access.actor import Actor
from app.db import Tx, transaction
from app.errors import Conflict, Invalid
from app.paging import AnyRow
from app.secrets import unseal
from app.systems.actions.endpoints import add, change, replace_secret
from app.systems.models import Endpoint
from app.systems.queries import snapshot
from app.systems.rules.exchange import Exchange, ExportedEndpoint
from app.systems.rules.signing import new_secret


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of one entry; `new_secret` where the hub had to make one (told once)."""

    system: str
    url: str
    outcome: str
    new_secret: str = field(default="", repr=False)

    def as_data(self) -> dict[str, str]:
        """As JSON."""
        data = {"system": self.system, "url": self.url, "outcome": self.outcome}
        return data | ({"secret": self.new_secret} if self.new_secret else {})


class DryRun(Exception):
    """Ends the transaction of an import that is only to be shown."""


def export_endpoints(connection: Connection, with_secrets: bool = False) -> dict[str, Any]:
    """All endpoints in the form that `import_endpoints` reads."""
    rows = connection.execute(select(Endpoint.__table__).order_by(Endpoint.system, Endpoint.id))
    return {"endpoints": [_exported(row, with_secrets) for row in rows]}


def _exported(row: AnyRow, with_secrets: bool) -> dict[str, Any]:
    told = {
        "system": row.system,
        "url": row.url,
        "status": row.status,
        "description": row.description,
    }
    return told | ({"secret": unseal(row.secret_sealed)} if with_secrets else {})


def import_endpoints(
    exchange: Exchange, *, by: Actor, now: int, dry_run: bool = False
) -> list[Imported]:
    """Add what is missing and change what differs; endpoints the file does not name stay.

    An entry without a secret leaves the stored one; a new endpoint gets a fresh one then. Invalid
    names each wrong entry, and nothing is written.
    """
    results: list[Imported] = []
    try:
        with transaction() as tx:
            results = _import_all(tx, exchange, now)
            if dry_run:
                raise DryRun
            told = {"endpoints": [[each.system, each.url, each.outcome] for each in results]}
            record(tx, by, "endpoints.imported", "endpoints", after=told)
    except DryRun:
        return results
    snapshot.forget()
    return results


def _import_all(tx: Tx, exchange: Exchange, now: int) -> list[Imported]:
    """Every entry in turn; Invalid with the problems of all."""
    rows = tx.connection.execute(select(Endpoint.__table__).with_for_update())
    stored = {(row.system, row.url): row for row in rows}
    results, problems = [], {}
    for number, entry in enumerate(exchange.endpoints):
        try:
            results.append(_import_one(tx, stored.get(entry.key), entry, now))
        except (Invalid, Conflict) as refused:
            details = refused.details if isinstance(refused, Invalid) else {}
            for name, texts in (details or {"url": [refused.message]}).items():
                problems[f"endpoints.{number}.{name}"] = texts
    if problems:
        raise Invalid(details=problems)
    return results


def _import_one(tx: Tx, old: AnyRow | None, entry: ExportedEndpoint, now: int) -> Imported:
    """Add or change one endpoint."""
    if old is None:
        return _add(tx, entry, now)
    wanted = {"status": entry.status, "description": entry.description}
    changes = {name: value for name, value in wanted.items() if value != getattr(old, name)}
    if changes:
        change(tx, old.id, now, **changes)
    if other_secret := entry.secret not in (None, unseal(old.secret_sealed)):
        replace_secret(tx, old, str(entry.secret), now)
    return Imported(*entry.key, "changed" if changes or other_secret else "unchanged")


def _add(tx: Tx, entry: ExportedEndpoint, now: int) -> Imported:
    fresh = "" if entry.secret else new_secret()
    secret = entry.secret or fresh
    add(
        tx,
        *entry.key,
        secret,
        description=entry.description,
        status=entry.status,
        now=now,
    )
    return Imported(*entry.key, "created", fresh)
