"""Reads of people for managers, and of a person's own logins."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from app import clock
from app.access.models import LoginSession, RecoveryCode, User
from app.errors import NotFound
from app.paging import AnyRow, AnySelect


def list_people(c: Connection) -> Sequence[AnyRow]:
    """Everybody, those who may sign in first, by name."""
    return c.execute(_people().order_by(User.active.desc(), User.name, User.id)).all()


def find_person(c: Connection, user_id: int) -> AnyRow:
    """One person; NotFound."""
    row = c.execute(_people().where(User.id == user_id)).one_or_none()
    if row is None:
        raise NotFound("Pessoa não encontrada")
    return row


def _people() -> AnySelect:
    logins = (
        select(func.count())
        .where(LoginSession.user_id == User.id, LoginSession.expires_at > clock.now())
        .scalar_subquery()
    )
    return select(
        User.id,
        User.email,
        User.name,
        User.level,
        User.active,
        User.created_at,
        User.last_login_at,
        User.totp_required,
        User.totp_secret.is_not(None).label("two_step"),
        logins.label("logins"),
    )


def logins_of(c: Connection, user_id: int) -> Sequence[AnyRow]:
    """The logins of a person that last, the newest use first."""
    query = (
        select(LoginSession.__table__)
        .where(LoginSession.user_id == user_id, LoginSession.expires_at > clock.now())
        .order_by(LoginSession.seen_at.desc())
    )
    return c.execute(query).all()


def codes_left(c: Connection, user_id: int) -> int:
    """Recovery codes that still count."""
    query = select(func.count()).where(
        RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None)
    )
    return c.execute(query).scalar_one()
