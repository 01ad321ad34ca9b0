"""Reads of access: whose token or key this is, which keys there are, whether the trail is whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, or_, select
from sqlalchemy.engine import Connection

from app import clock
from app.access.actor import Actor, Person
from app.access.models import ACTIVE, ApiKey, AuditEntry, AuditHead, LoginSession, User
from app.access.rules import key_format
from app.access.rules.chain import FIELDS, entry_hash
from app.db import db, reading

# Both run on every request: built once, and only their parameter changes.
_PERSON = (
    select(
        User.id,
        User.email,
        User.name,
        User.level,
        User.theme,
        User.density,
        User.poll,
        User.keys,
        User.totp_required,
        User.totp_secret,
        LoginSession.seen_at,
        LoginSession.expires_at,
    )
    .join(User, User.id == LoginSession.user_id)
    .where(User.active.is_(True), LoginSession.token_hash == bindparam("hash"))
)
_KEY = select(
    ApiKey.id,
    ApiKey.name,
    ApiKey.scopes_json,
    ApiKey.status,
    ApiKey.expires_at,
    ApiKey.last_used_at,
).where(ApiKey.key_hash == bindparam("hash"))
_WORKS = select(ApiKey.id).where(
    ApiKey.id == bindparam("id"),
    ApiKey.status == ACTIVE,
    or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > bindparam("now")),
)


def token_hash(token: str) -> str:
    """What is stored of a login's token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def person_of(token: str) -> Person | None:
    """The person whose login this is, while it lasts."""
    with reading() as connection:
        row = connection.execute(_PERSON, {"hash": token_hash(token)}).one_or_none()
    if row is None or row.expires_at <= clock.now():
        return None
    return Person(
        token,
        row.id,
        row.email,
        row.name,
        row.level,
        row.theme,
        row.density,
        row.poll,
        row.keys,
        row.seen_at,
        row.totp_required and not row.totp_secret,
    )


@dataclass(frozen=True, slots=True)
class Found:
    """The owner of a key, and when its use was last noted."""

    actor: Actor
    last_used_at: int | None

    def is_stale(self, now: int) -> bool:
        """Whether that was a minute ago or more (or in a future that never was)."""
        return self.last_used_at is None or abs(now - self.last_used_at) >= clock.MINUTE


def owner_of(key: str, address: str = "") -> Found | None:
    """Whom an API key stands for; None: malformed, unknown, revoked or expired.

    One look-up by index each time and no cache, so that a revocation holds at once everywhere.
    """
    if not key_format.well_formed(key):
        return None
    with reading() as connection:
        row = connection.execute(_KEY, {"hash": key_format.key_hash(key)}).one_or_none()
    if row is None or row.status != ACTIVE:
        return None
    if row.expires_at is not None and row.expires_at <= clock.now():
        return None
    scopes = tuple(json.loads(row.scopes_json))
    return Found(Actor("key", row.id, row.name, 0, scopes, address), row.last_used_at)


def works(c: Connection, key_id: int, now: int) -> bool:
    """Whether the key still opens doors; asked where a commit stands on older news."""
    return c.execute(_WORKS, {"id": key_id, "now": now}).first() is not None


def api_keys() -> Sequence[ApiKey]:
    """All keys, newest first."""
    return db.session.scalars(select(ApiKey).order_by(ApiKey.id.desc())).all()


def user_id_of(email: str) -> int | None:
    """Id of the person with this e-mail."""
    with reading() as connection:
        return connection.execute(select(User.id).where(User.email == email)).scalar_one_or_none()


@dataclass(frozen=True, slots=True)
class Chain:
    """What a check of the audit trail found; `broken_at` is the first entry that does not fit."""

    entries: int
    broken_at: int | None = None

    @property
    def whole(self) -> bool:
        """Whether nothing was changed, taken out or added."""
        return self.broken_at is None


def verify_chain() -> Chain:
    """Recompute the audit trail from its start to its head."""
    with reading() as connection:
        head = connection.execute(
            select(
                AuditHead.removed_id,
                AuditHead.removed_hash,
                AuditHead.last_id,
                AuditHead.last_hash,
            )
        ).one_or_none()
        start, start_hash, end, end_hash = head or (0, "", 0, "")
        chain, reached = _follow(connection, start, start_hash, end)
    if chain.whole and reached != end_hash:
        return Chain(chain.entries, start + chain.entries + 1)
    return chain


def _follow(connection: Connection, start: int, start_hash: str, end: int) -> tuple[Chain, str]:
    """Walk the entries as long as they fit; what was found and the last good hash."""
    columns = [getattr(AuditEntry, field) for field in (*FIELDS, "hash")]
    # Entries that others add meanwhile lie beyond the head we read, and are left for next time.
    query = select(*columns).where(AuditEntry.id <= end).order_by(AuditEntry.id)
    expected, previous, count = start, start_hash, 0
    for row in connection.execution_options(yield_per=500).execute(query):
        expected += 1
        fits = row.id == expected and row.previous_hash == previous
        if not fits or entry_hash(row._asdict()) != row.hash:
            return Chain(count, expected), previous
        previous, count = row.hash, count + 1
    return Chain(count), previous
