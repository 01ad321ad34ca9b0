"""What the hot paths need of the systems, read at once and kept for a second.

Another process may thus work with values up to a second old; the one that wrote them does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from weakref import WeakKeyDictionary

from flask import current_app
from sqlalchemy import Engine, select
from sqlalchemy.engine import Connection

from app import clock
from app.config import Settings
from app.db import reading
from app.errors import NotFound
from app.paging import AnyRow
from app.secrets import unseal
from app.systems.models import Endpoint, EndpointStatus, System
from app.systems.rules.rotation import valid_secrets

KEPT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Target:
    """An endpoint as a delivery needs it; secrets newest first, timeouts in seconds."""

    endpoint_id: int
    system: str
    url: str
    active: bool
    secrets: tuple[str, ...] = field(repr=False)
    connect_timeout: float
    timeout: float


@dataclass(frozen=True, slots=True)
class KnownSystem:
    """A system as calls to it and webhooks from it need it; `in_flight` is per worker."""

    name: str
    label: str
    base_url: str
    api_key: str = field(repr=False)
    webhook_secrets: tuple[str, ...] = field(repr=False)
    in_flight: int
    paused: bool


@dataclass(frozen=True, slots=True)
class _Snapshot:
    read_at: float
    targets: Mapping[int, Target]
    active: Mapping[str, tuple[int, ...]]
    systems: Mapping[str, KnownSystem]


_kept: WeakKeyDictionary[Engine, _Snapshot] = WeakKeyDictionary()


def targets(connection: Connection) -> Mapping[int, Target]:
    """All endpoints by id, inactive ones too (a delivery may have been planned before)."""
    return _current(connection).targets


def active_endpoints(connection: Connection) -> Mapping[str, tuple[int, ...]]:
    """Ids of the active endpoints of each system that has any."""
    return _current(connection).active


def systems(connection: Connection) -> Mapping[str, KnownSystem]:
    """All systems by name."""
    return _current(connection).systems


def system(connection: Connection, name: str) -> KnownSystem:
    """One system; NotFound."""
    try:
        return _current(connection).systems[name]
    except KeyError:
        raise NotFound("System not found") from None


def known() -> Mapping[str, KnownSystem]:
    """All systems by name, where no connection is at hand."""
    with reading() as connection:
        return _current(connection).systems


def forget() -> None:
    """Read anew the next time; called after every commit that changed systems or endpoints."""
    _kept.clear()


def _current(connection: Connection) -> _Snapshot:
    kept = _kept.get(connection.engine)
    if kept is not None and clock.monotonic() - kept.read_at < KEPT_SECONDS:
        return kept
    fresh = _kept[connection.engine] = _read(connection)
    return fresh


def _read(connection: Connection) -> _Snapshot:
    """Both tables, unsealed."""
    read_at, now = clock.monotonic(), clock.now()
    settings: Settings = current_app.extensions["settings"]
    endpoints = connection.execute(select(Endpoint.__table__).order_by(Endpoint.id)).all()
    found = [_target(row, settings, now) for row in endpoints]
    active: dict[str, tuple[int, ...]] = {}
    for target in found:
        if target.active:
            active[target.system] = (*active.get(target.system, ()), target.endpoint_id)
    rows = connection.execute(select(System.__table__).order_by(System.name))
    known = {row.name: _known(row, settings, now) for row in rows}
    by_id = {target.endpoint_id: target for target in found}
    return _Snapshot(
        read_at, MappingProxyType(by_id), MappingProxyType(active), MappingProxyType(known)
    )


def _target(row: AnyRow, settings: Settings, now: int) -> Target:
    secret, previous = unseal(row.secret_sealed), unseal(row.previous_secret_sealed)
    return Target(
        endpoint_id=row.id,
        system=row.system,
        url=row.url,
        active=row.status == EndpointStatus.ACTIVE,
        secrets=valid_secrets(secret, previous, row.previous_until, now),
        connect_timeout=settings.delivery_connect_timeout,
        timeout=settings.delivery_timeout,
    )


def _known(row: AnyRow, settings: Settings, now: int) -> KnownSystem:
    secret = unseal(row.webhook_secret_sealed)
    previous = unseal(row.webhook_secret_previous_sealed)
    return KnownSystem(
        name=row.name,
        label=row.label,
        base_url=row.base_url,
        api_key=unseal(row.api_key_sealed),
        webhook_secrets=valid_secrets(secret, previous, row.previous_until, now),
        in_flight=row.in_flight_limit or settings.delivery_in_flight,
        paused=row.paused,
    )
