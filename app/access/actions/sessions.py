"""A person's own logins: end all but this one, change the password."""

from __future__ import annotations

from sqlalchemy import delete, update

from app.access.actions.audit import record
from app.access.actor import Actor
from app.access.models import LoginSession, User
from app.access.queries import token_hash
from app.access.rules import passwords
from app.db import Tx, transaction
from app.errors import Invalid


def end_others(by: Actor, token: str) -> int:
    """Sign out everywhere else; how many logins ended."""
    with transaction() as tx:
        ended = _end_others(tx, by, token)
        record(tx, by, "session.others_ended", f"user:{by.id}", after={"ended": ended})
    return ended


def change_own_password(by: Actor, email: str, token: str, password: str) -> None:
    """A new password for oneself; all other logins end. Invalid: it will not do."""
    if found := passwords.problems(password, email):
        raise Invalid(details={"password": found})
    secret = passwords.hashed(password)
    with transaction() as tx:
        tx.connection.execute(update(User).where(User.id == by.id).values(password_hash=secret))
        _end_others(tx, by, token)
        record(tx, by, "user.password_changed", f"user:{by.id}")


def _end_others(tx: Tx, by: Actor, token: str) -> int:
    ended = tx.connection.execute(
        delete(LoginSession).where(
            LoginSession.user_id == by.id, LoginSession.token_hash != token_hash(token)
        )
    )
    return ended.rowcount
