"""API keys: make (shown once), replace with an overlap, revoke (at once), note their use."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import case, insert, or_, select, update
from sqlalchemy.exc import OperationalError

from app import clock
from app.access.actions.audit import record
from app.access.actions.rows import inserted_id
from app.access.actor import Actor
from app.access.models import ACTIVE, REVOKED, ApiKey, ApiKeyUse
from app.access.rules import age, key_format, scopes
from app.db import Tx, insert_missing, reading, transaction
from app.errors import Conflict, Invalid, NotFound
from app.paging import AnyRow

log = logging.getLogger(__name__)

BUSY_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made, the only time that its text is known; `expires_at` in ms."""

    id: int
    key: str = field(repr=False)
    expires_at: int | None = None


def generate_api_key(
    by: Actor, name: str, wanted: Sequence[str] = scopes.DEFAULT, expires_at: int | None = None
) -> NewKey:
    """Make a key with these scopes, valid until `expires_at` (ms) or until revoked."""
    _check(name, wanted, expires_at)
    _check_reach(by, wanted)
    key = key_format.new_key()
    told = {"name": name.strip(), "scopes": list(wanted), "expires_at": expires_at}
    with transaction() as tx:
        key_id = _insert(tx, by, name, wanted, key, expires_at)
        record(tx, by, "api_key.created", f"api_key:{key_id}", after=told)
    return NewKey(key_id, key, expires_at)


def revoke_api_key(by: Actor, key_id: int, why: str | None = None) -> None:
    """Make a key worthless from the next request on. NotFound; Conflict: it already is."""
    with transaction() as tx:
        name = tx.connection.execute(
            select(ApiKey.name).where(ApiKey.id == key_id)
        ).scalar_one_or_none()
        if name is None:
            raise NotFound("API key not found")
        revoked = tx.connection.execute(
            update(ApiKey)
            .where(ApiKey.id == key_id, ApiKey.status == ACTIVE)
            .values(status=REVOKED, revoked_at=clock.now())
        )
        if not revoked.rowcount:
            raise Conflict("API key is already revoked")
        record(tx, by, "api_key.revoked", f"api_key:{key_id}", why, before={"name": name})


def rotate_api_key(
    by: Actor, key_id: int, overlap: int, why: str | None = None, lifetime: int | None = None
) -> NewKey:
    """A new key with the same name and scopes; the old one ends after `overlap` ms.

    It lasts `lifetime` ms, with 0 until revoked, with None as long as the old one was made for.
    NotFound, Conflict: revoked or being replaced already; Invalid: it may more than who asks.
    """
    old = _replaceable(by, key_id)
    key, now = key_format.new_key(), clock.now()
    ends, until = now + overlap, age.renewed(old.created_at, old.expires_at, lifetime, now)
    with transaction() as tx:
        new_id = _insert(tx, by, old.name, json.loads(old.scopes_json), key, until)
        sooner = or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > ends)
        replaced = tx.connection.execute(
            update(ApiKey)
            .where(ApiKey.id == key_id, ApiKey.status == ACTIVE, ApiKey.replaced_by.is_(None))
            .values(replaced_by=new_id, expires_at=case((sooner, ends), else_=ApiKey.expires_at))
        )
        if not replaced.rowcount:
            raise Conflict("Esta chave já foi revogada ou já tem substituta")
        told = {"replaced_by": new_id, "expires_at": ends, "new_expires_at": until}
        record(tx, by, "api_key.rotated", f"api_key:{key_id}", why, after=told)
    return NewKey(new_id, key, until)


def _replaceable(by: Actor, key_id: int) -> AnyRow:
    """The key that gets a substitute. NotFound; Invalid: it may more than who asks."""
    columns = (ApiKey.name, ApiKey.scopes_json, ApiKey.created_at, ApiKey.expires_at)
    with reading() as connection:
        old = connection.execute(select(*columns).where(ApiKey.id == key_id)).one_or_none()
    if old is None:
        raise NotFound("Chave não encontrada")
    _check_reach(by, json.loads(old.scopes_json))
    return old


def _insert(
    tx: Tx, by: Actor, name: str, wanted: Sequence[str], key: str, expires_at: int | None
) -> int:
    """The row of a new key; its id."""
    made = tx.connection.execute(
        insert(ApiKey).values(
            name=name.strip(),
            prefix=key[: key_format.SHOWN],
            key_hash=key_format.key_hash(key),
            scopes_json=json.dumps(list(wanted)),
            status=ACTIVE,
            created_at=clock.now(),
            created_by=by.name[:120],
            expires_at=expires_at,
        )
    )
    return inserted_id(made)


class _Busy:
    """Until when nobody tries to note the use of a key: each try would wait for the database."""

    until = 0.0


def touch_api_key(key_id: int, address: str = "") -> None:
    """Note when and from where the key is used, once a minute; a busy database refuses nobody."""
    if clock.monotonic() < _Busy.until:
        return
    now = clock.now()
    stale = or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at <= now - clock.MINUTE)
    future = ApiKey.last_used_at > now
    try:
        with transaction(durable=False) as tx:
            tx.connection.execute(
                update(ApiKey)
                .where(ApiKey.id == key_id, or_(stale, future))
                .values(last_used_at=now)
            )
            _note_address(tx, key_id, address, now)
    except OperationalError as problem:
        _Busy.until = clock.monotonic() + BUSY_SECONDS
        log.warning("use of API key %s not noted: %s", key_id, problem.orig)


def _note_address(tx: Tx, key_id: int, address: str, now: int) -> None:
    place = {"key_id": key_id, "address": address}
    insert_missing(tx.connection, ApiKeyUse, [{**place, "first_at": now, "last_at": now}])
    tx.connection.execute(
        update(ApiKeyUse)
        .where(ApiKeyUse.key_id == key_id, ApiKeyUse.address == address)
        .values(last_at=now)
    )


def _check_reach(by: Actor, wanted: Sequence[str]) -> None:
    """Invalid where a person would get a key that opens more than they can."""
    if by.kind == "user" and (over := scopes.beyond(wanted, by.level)):
        raise Invalid(details={"scopes": [f"only a manager gives {', '.join(over)}"]})


def _check(name: str, wanted: Sequence[str], expires_at: int | None) -> None:
    """Invalid with all that is wrong about a new key."""
    details = {}
    if not 0 < len(name.strip()) <= 120:
        details["name"] = ["must have 1 to 120 characters"]
    if not wanted or (wrong := scopes.malformed(wanted)):
        details["scopes"] = (
            [f"not a scope: {scope!r}" for scope in wrong] if wanted else ["missing"]
        )
    if expires_at is not None and expires_at <= clock.now():
        details["expires_at"] = ["must lie in the future"]
    if details:
        raise Invalid(details=details)
