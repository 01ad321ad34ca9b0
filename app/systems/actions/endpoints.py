"""Endpoints: make, change, switch on and off, give a new secret; each with an audit entry."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from flask import current_app
from sqlalchemy import insert, select, update

from app.access.actions.audit import record
from app.access.actions.rows import inserted_id
from app.access.actor import Actor
from app.db import Tx, transaction
from app.errors import Conflict, Invalid, NotFound
from app.paging import AnyRow
from app.secrets import seal
from app.systems.models import Endpoint, EndpointStatus, System
from app.systems.queries import snapshot
from app.systems.rules.addresses import check_url
from app.systems.rules.rotation import GRACE
from app.systems.rules.signing import new_secret


@dataclass(frozen=True, slots=True)
class NewEndpoint:
    """An endpoint just made; besides rotation the only time that its secret is told."""

    id: int
    secret: str = field(repr=False)


def create_endpoint(
    system: str, url: str, description: str = "", *, by: Actor, now: int
) -> NewEndpoint:
    """Add an active endpoint. Invalid: unknown system, bad URL; Conflict: it is there already."""
    secret = new_secret()
    with transaction() as tx:
        endpoint_id = add(tx, system, url, secret, description=description, now=now)
        told = {"system": system, "url": url, "description": description}
        record(tx, by, "endpoint.created", _name(endpoint_id), after=told)
    snapshot.forget()
    return NewEndpoint(endpoint_id, secret)


def update_endpoint(
    endpoint_id: int,
    *,
    by: Actor,
    now: int,
    url: str | None = None,
    description: str | None = None,
) -> None:
    """Change the URL or the description; None leaves it. NotFound, Invalid, Conflict."""
    given = {"url": url, "description": description}
    with transaction() as tx:
        old = locked(tx, endpoint_id)
        wanted = {name: value for name, value in given.items() if value is not None}
        changes = {name: value for name, value in wanted.items() if value != getattr(old, name)}
        if "url" in changes:
            _check(tx, old.system, str(url))
        if changes:
            change(tx, endpoint_id, now, **changes)
            before = {name: getattr(old, name) for name in changes}
            record(tx, by, "endpoint.updated", _name(endpoint_id), before=before, after=changes)
    snapshot.forget()


def activate_endpoint(endpoint_id: int, *, by: Actor, now: int) -> None:
    """Let deliveries go there again; nothing happens where they do. NotFound."""
    _switch(endpoint_id, EndpointStatus.ACTIVE, by, now)


def deactivate_endpoint(endpoint_id: int, *, by: Actor, now: int) -> None:
    """Plan no more deliveries to it; nothing happens where that is so. NotFound."""
    _switch(endpoint_id, EndpointStatus.INACTIVE, by, now)


def _switch(endpoint_id: int, status: EndpointStatus, by: Actor, now: int) -> None:
    verb = "activated" if status is EndpointStatus.ACTIVE else "deactivated"
    with transaction() as tx:
        if locked(tx, endpoint_id).status == status:
            return
        change(tx, endpoint_id, now, status=status)
        record(tx, by, f"endpoint.{verb}", _name(endpoint_id), after={"status": status})
    snapshot.forget()


def rotate_secret(endpoint_id: int, *, by: Actor, now: int) -> str:
    """A new secret, told once; deliveries are signed with the old one too for 24 h. NotFound.

    A second rotation within that time ends the first secret at once.
    """
    secret = new_secret()
    with transaction() as tx:
        replace_secret(tx, locked(tx, endpoint_id), secret, now)
        told = {"previous_until": now + GRACE}
        record(tx, by, "endpoint.secret_rotated", _name(endpoint_id), after=told)
    snapshot.forget()
    return secret


def add(
    tx: Tx,
    system: str,
    url: str,
    secret: str,
    *,
    now: int,
    description: str = "",
    status: str = EndpointStatus.ACTIVE,
) -> int:
    """Insert a checked endpoint; its id."""
    _check(tx, system, url)
    made = tx.connection.execute(
        insert(Endpoint).values(
            system=system,
            url=url,
            secret_sealed=seal(secret),
            status=status,
            description=description,
            created_at=now,
            updated_at=now,
        )
    )
    return inserted_id(made)


def replace_secret(tx: Tx, old: AnyRow, secret: str, now: int) -> None:
    """Put a secret in the place of the one in force, which stays valid for a while."""
    change(
        tx,
        old.id,
        now,
        secret_sealed=seal(secret),
        previous_secret_sealed=old.secret_sealed,
        previous_until=now + GRACE,
    )


def change(tx: Tx, endpoint_id: int, now: int, **values: Any) -> None:
    """Write columns of an endpoint."""
    tx.connection.execute(
        update(Endpoint).where(Endpoint.id == endpoint_id).values(**values, updated_at=now)
    )


def locked(tx: Tx, endpoint_id: int) -> AnyRow:
    """The endpoint as it is, ours until the commit; NotFound."""
    row = tx.connection.execute(
        select(Endpoint.__table__).where(Endpoint.id == endpoint_id).with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound("Endpoint not found")
    return row


def _check(tx: Tx, system: str, url: str) -> None:
    """Invalid or Conflict, unless an endpoint of the system may have this URL."""
    # The system's row is locked: of two who add the same URL one waits and then sees it.
    known = select(System.name).where(System.name == system).with_for_update()
    if tx.connection.execute(known).one_or_none() is None:
        raise Invalid(details={"system": ["is not one of the systems"]})
    if problems := check_url(url, current_app.extensions["settings"].allowed_networks):
        raise Invalid(details={"url": problems})
    same = select(Endpoint.id).where(Endpoint.system == system, Endpoint.url == url)
    if tx.connection.execute(same).first():
        raise Conflict("This system already has an endpoint with this URL")


def _name(endpoint_id: int) -> str:
    """How the audit trail calls an endpoint."""
    return f"endpoint:{endpoint_id}"
