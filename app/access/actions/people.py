"""People: add them, change their password, level and whether they may sign in."""

from __future__ import annotations

import secrets
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from app import clock
from app.access.actions.audit import record
from app.access.actions.rows import inserted_id
from app.access.actor import SYSTEM, Actor
from app.access.models import LoginSession, User
from app.access.rules import passwords
from app.access.rules.abilities import LEVELS, MANAGEMENT
from app.access.rules.emails import normal_email
from app.config import Settings, SettingsError
from app.db import Tx, reading, transaction
from app.errors import Conflict, Invalid, NotFound

PREFERENCES = {"theme": "auto", "density": "comfortable", "poll": "", "keys": "on"}


def create_user(by: Actor, email: str, name: str, level: int, password: str) -> int:
    """Add a person; their id. Invalid names each wrong field, Conflict: the e-mail is taken."""
    address = normal_email(email)
    _check(address, name, level, password)
    values = {"email": address, "name": name.strip(), "level": level, "active": True}
    secret = passwords.hashed(password)
    try:
        with transaction() as tx:
            made = tx.connection.execute(
                insert(User).values(
                    **values,
                    password_hash=secret,
                    created_at=clock.now(),
                    **PREFERENCES,
                )
            )
            user_id = inserted_id(made)
            record(tx, by, "user.created", f"user:{user_id}", after=values)
    except IntegrityError:
        raise Conflict(f"Já existe uma pessoa com o e-mail {address}") from None
    return user_id


def change_password(by: Actor, user_id: int, password: str) -> None:
    """Set a new password; every login of the person ends."""
    email = _column(user_id, User.email)
    if found := passwords.problems(password, email):
        raise Invalid(details={"password": found})
    secret = passwords.hashed(password)
    with transaction() as tx:
        _set(tx, user_id, password_hash=secret)
        record(tx, by, "user.password_changed", f"user:{user_id}")


def reset_password(by: Actor, user_id: int) -> str:
    """A new random password, told once; every login of the person ends."""
    password = secrets.token_urlsafe(12)
    change_password(by, user_id, password)
    return password


def set_level(by: Actor, user_id: int, level: int, why: str | None = None) -> None:
    """Move a person to another level; their logins end, so that no page keeps the old one."""
    if level not in LEVELS:
        raise Invalid(details={"level": ["Escolha 1, 2 ou 3."]})
    with transaction() as tx:
        before = _set(tx, user_id, level=level)
        _keep_a_manager(tx)
        change = ({"level": before["level"]}, {"level": level})
        record(tx, by, "user.level_changed", f"user:{user_id}", why, *change)


def disable(by: Actor, user_id: int, why: str | None = None) -> None:
    """Shut a person out, at once."""
    with transaction() as tx:
        _set(tx, user_id, active=False)
        _keep_a_manager(tx)
        record(tx, by, "user.disabled", f"user:{user_id}", why)


def enable(by: Actor, user_id: int, why: str | None = None) -> None:
    """Let a person in again."""
    with transaction() as tx:
        _set(tx, user_id, active=True)
        record(tx, by, "user.enabled", f"user:{user_id}", why)


def set_preferences(user_id: int, **values: str) -> None:
    """How the console looks to this person (`theme`, `density`, `poll`, `keys`)."""
    with transaction(durable=False) as tx:
        tx.connection.execute(update(User).where(User.id == user_id).values(**values))


def ensure_first_manager(settings: Settings) -> str | None:
    """Where there is nobody yet, make the first manager; the password if it was made up.

    SettingsError where HUB_ADMIN_EMAIL or HUB_ADMIN_PASSWORD will not do.
    """
    with reading() as connection:
        if connection.execute(select(User.id).limit(1)).first():
            return None
    password = settings.admin_password or secrets.token_urlsafe(12)
    try:
        create_user(SYSTEM, settings.admin_email, LEVELS[MANAGEMENT], MANAGEMENT, password)
    except Conflict:  # another process was first
        return None
    except Invalid as problem:
        wrong = [f"HUB_ADMIN_{name.upper()}: {' '.join(e)}" for name, e in problem.details.items()]
        raise SettingsError("; ".join(wrong)) from None
    return None if settings.admin_password else password


def _check(email: str, name: str, level: int, password: str) -> None:
    """Invalid with all that is wrong about a new person."""
    details = {
        "email": [] if email else ["Informe um e-mail válido."],
        "name": [] if 0 < len(name.strip()) <= 120 else ["Informe o nome (até 120 caracteres)."],
        "level": [] if level in LEVELS else ["Escolha 1, 2 ou 3."],
        "password": passwords.problems(password, email),
    }
    if any(details.values()):
        raise Invalid(details={field: found for field, found in details.items() if found})


def _column(user_id: int, column: Any) -> Any:
    """One value of a person; NotFound."""
    with reading() as connection:
        row = connection.execute(select(column).where(User.id == user_id)).one_or_none()
    if row is None:
        raise NotFound("Pessoa não encontrada")
    return row[0]


def _set(tx: Tx, user_id: int, **values: Any) -> dict[str, Any]:
    """Change a person and end their logins; the level and state before."""
    row = tx.connection.execute(
        select(User.level, User.active).where(User.id == user_id).with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound("Pessoa não encontrada")
    tx.connection.execute(update(User).where(User.id == user_id).values(**values))
    tx.connection.execute(delete(LoginSession).where(LoginSession.user_id == user_id))
    return dict(row._mapping)


def _keep_a_manager(tx: Tx) -> None:
    """Conflict where nobody would be left who can manage people."""
    query = select(func.count()).where(User.level == MANAGEMENT, User.active.is_(True))
    if not tx.connection.execute(query).scalar_one():
        raise Conflict("É preciso haver ao menos uma pessoa ativa no nível Gestão")
