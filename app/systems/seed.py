"""The nine systems and their default endpoints, kept in step with the environment at each start.

What the environment gives wins: a URL other than the default, an API key, a webhook secret. What
it leaves out stays as stored. A replaced webhook secret is valid for another day.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert, select, update

from app.config import Settings, SystemSettings, default_system_url
from app.db import Tx, transaction
from app.paging import AnyRow
from app.secrets import seal, unseal
from app.systems.models import Endpoint, EndpointStatus, System
from app.systems.queries import snapshot
from app.systems.rules.defaults import KNOWN, default_endpoint
from app.systems.rules.rotation import GRACE
from app.systems.rules.signing import new_secret


def seed(settings: Settings, *, now: int) -> None:
    """Add the systems that are missing and follow the environment; safe at every start."""
    with transaction() as tx:
        rows = {row.name: row for row in tx.connection.execute(select(System.__table__))}
        for name in KNOWN:
            if (stored := rows.get(name)) is None:
                _add(tx, name, settings.systems[name], now)
            else:
                _follow(tx, stored, settings.systems[name], now)
    snapshot.forget()


def _add(tx: Tx, name: str, given: SystemSettings, now: int) -> None:
    """A system and its default endpoint, for the first time."""
    known = KNOWN[name]
    tx.connection.execute(
        insert(System).values(
            name=name,
            label=known.label,
            criticality=known.criticality,
            sla_percent=known.sla_percent,
            base_url=given.url,
            api_key_sealed=seal(given.api_key),
            webhook_secret_sealed=seal(given.webhook_secret),
            created_at=now,
            updated_at=now,
        )
    )
    if url := default_endpoint(name, given.url):
        tx.connection.execute(
            insert(Endpoint).values(
                system=name,
                url=url,
                secret_sealed=seal(new_secret()),
                status=EndpointStatus.ACTIVE,
                created_at=now,
                updated_at=now,
            )
        )


def _follow(tx: Tx, stored: AnyRow, given: SystemSettings, now: int) -> None:
    """Take over what the environment gives and the row does not have yet."""
    changes = {
        **_new_url(tx, stored, given.url, now),
        **_new_key(stored, given.api_key),
        **_new_webhook_secret(stored, given.webhook_secret, now),
    }
    if changes:
        tx.connection.execute(
            update(System).where(System.name == stored.name).values(**changes, updated_at=now)
        )


def _new_url(tx: Tx, stored: AnyRow, url: str, now: int) -> dict[str, Any]:
    """The base URL, and with it the default endpoint where nobody gave it another address."""
    if url in (stored.base_url, default_system_url(stored.name)):
        return {}
    if old := default_endpoint(stored.name, stored.base_url):
        tx.connection.execute(
            update(Endpoint)
            .where(Endpoint.system == stored.name, Endpoint.url == old)
            .values(url=default_endpoint(stored.name, url), updated_at=now)
        )
    return {"base_url": url}


def _new_key(stored: AnyRow, api_key: str) -> dict[str, Any]:
    if not api_key or unseal(stored.api_key_sealed) == api_key:
        return {}
    return {"api_key_sealed": seal(api_key)}


def _new_webhook_secret(stored: AnyRow, secret: str, now: int) -> dict[str, Any]:
    if not secret or unseal(stored.webhook_secret_sealed) == secret:
        return {}
    return {
        "webhook_secret_sealed": seal(secret),
        "webhook_secret_previous_sealed": stored.webhook_secret_sealed,
        "previous_until": now + GRACE if stored.webhook_secret_sealed else None,
    }
