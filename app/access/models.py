"""Tables of access: people, their logins, API keys and the audit trail."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, BigId

ACTIVE = "active"
REVOKED = "revoked"


class User(Base):
    """A person who may sign in; `level` is the escalation level (1, 2 or 3)."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    email: Mapped[str] = mapped_column(String(190), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    password_hash: Mapped[str] = mapped_column(String(255))
    level: Mapped[int]
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[int] = mapped_column(BigInteger)
    last_login_at: Mapped[int | None] = mapped_column(BigInteger)
    theme: Mapped[str] = mapped_column(String(12), default="auto")
    density: Mapped[str] = mapped_column(String(12), default="comfortable")
    poll: Mapped[str] = mapped_column(String(12), default="")
    keys: Mapped[str] = mapped_column(String(12), default="on")
    # Two-step login: the sealed secret, the last code that counted (none counts twice), and
    # whether a manager wants it for this person.
    totp_secret: Mapped[str | None] = mapped_column(String(255))
    totp_step: Mapped[int] = mapped_column(BigInteger, default=0)
    totp_required: Mapped[bool] = mapped_column(default=False)


class RecoveryCode(Base):
    """A code for the day the phone is lost; only its hash is kept, and it counts once."""

    __tablename__ = "recovery_codes"
    code_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    used_at: Mapped[int | None] = mapped_column(BigInteger)


class LoginSession(Base):
    """A login under way; the browser holds the token, this row only its hash.

    Deleting the row ends the login, whoever has a copy of the cookie.
    """

    __tablename__ = "login_sessions"
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[int] = mapped_column(BigInteger)
    seen_at: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[int] = mapped_column(BigInteger, index=True)
    address: Mapped[str] = mapped_column(String(45))
    user_agent: Mapped[str] = mapped_column(String(255))


class LoginFailure(Base):
    """Logins tried and not succeeded, per account (hashed) and per network address."""

    __tablename__ = "login_failures"
    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    subject: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int]
    last_at: Mapped[int] = mapped_column(BigInteger, index=True)


class ApiKey(Base):
    """A key of a system; only its hash is kept, `prefix` is what people recognise it by."""

    __tablename__ = "api_keys"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    prefix: Mapped[str] = mapped_column(String(20))
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    scopes_json: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(10), default=ACTIVE)
    created_at: Mapped[int] = mapped_column(BigInteger)
    created_by: Mapped[str] = mapped_column(String(120))
    last_used_at: Mapped[int | None] = mapped_column(BigInteger)
    expires_at: Mapped[int | None] = mapped_column(BigInteger)
    revoked_at: Mapped[int | None] = mapped_column(BigInteger)
    # The key that takes its place; both work until `expires_at`.
    replaced_by: Mapped[int | None] = mapped_column(BigInteger)

    @property
    def scopes(self) -> tuple[str, ...]:
        """What the key may do."""
        return tuple(json.loads(self.scopes_json))


class ApiKeyUse(Base):
    """From where a key is used, and when it last was."""

    __tablename__ = "api_key_uses"
    key_id: Mapped[int] = mapped_column(
        ForeignKey("api_keys.id", ondelete="CASCADE"), primary_key=True
    )
    address: Mapped[str] = mapped_column(String(45), primary_key=True)
    first_at: Mapped[int] = mapped_column(BigInteger)
    last_at: Mapped[int] = mapped_column(BigInteger)


class AuditEntry(Base):
    """One thing somebody did; `hash` covers the entry and the hash of the one before."""

    __tablename__ = "audit_entries"
    __table_args__ = (Index("ix_audit_entries_target", "target", "id"),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    at: Mapped[int] = mapped_column(BigInteger, index=True)
    actor_kind: Mapped[str] = mapped_column(String(10))
    actor_id: Mapped[int | None] = mapped_column(BigInteger)
    actor_name: Mapped[str] = mapped_column(String(120))
    action: Mapped[str] = mapped_column(String(60))
    target: Mapped[str] = mapped_column(String(120))
    why: Mapped[str | None] = mapped_column(String(500))
    before_json: Mapped[str | None] = mapped_column(Text)
    after_json: Mapped[str | None] = mapped_column(Text)
    address: Mapped[str] = mapped_column(String(45))
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))

    @property
    def before(self) -> Any:
        """State before, as a value."""
        return json.loads(self.before_json) if self.before_json else None

    @property
    def after(self) -> Any:
        """State after, as a value."""
        return json.loads(self.after_json) if self.after_json else None


class AuditHead(Base):
    """Both ends of the chain in one row; locking it puts the writers in line.

    With the ends known, entries cut off at either end show just as changed ones do.
    """

    __tablename__ = "audit_head"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last_id: Mapped[int] = mapped_column(BigInteger)
    last_hash: Mapped[str] = mapped_column(String(64))
    removed_id: Mapped[int] = mapped_column(BigInteger)
    removed_hash: Mapped[str] = mapped_column(String(64))
