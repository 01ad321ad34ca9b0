"""Signing in and out: counted attempts, and sessions that live on the server."""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import OperationalError

from app import clock
from app.access.actions.audit import record
from app.access.actions.rows import ensure_row
from app.access.actor import Actor
from app.access.models import LoginFailure, LoginSession, User
from app.access.queries import token_hash
from app.access.rules import lockout, passwords
from app.access.rules.emails import normal_email
from app.db import Tx, reading, transaction
from app.errors import TooMany, Unauthenticated

REFUSED = "E-mail ou senha incorretos"
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody whose password was right."""

    id: int
    name: str
    level: int


def authenticate(email: str, password: str, address: str) -> Known:
    """Who this is. Unauthenticated: same answer and work whatever was wrong; TooMany: wait."""
    login = normal_email(email)
    counters = (
        (lockout.ACCOUNT, lockout.account_subject(login or email)),
        (lockout.ADDRESS, lockout.address_subject(address)),
    )
    with transaction(durable=False) as tx:
        # Counted before it is checked: a hundred guesses at once are a hundred guesses.
        for kind, subject in counters:
            _count(tx, kind, subject)
    known = _verify(login, password)
    if known is None:
        raise Unauthenticated(REFUSED)
    _forgive(known, *counters)
    return known


def _count(tx: Tx, kind: str, subject: str) -> None:
    """Count an attempt against the account or address; TooMany while it has to wait."""
    now = clock.now()
    key = (LoginFailure.kind == kind, LoginFailure.subject == subject)
    query = select(LoginFailure.failures, LoginFailure.last_at).where(*key).with_for_update()
    row = tx.connection.execute(query).one_or_none()
    if row is None:
        ensure_row(tx, LoginFailure, kind=kind, subject=subject, failures=0, last_at=now)
        row = tx.connection.execute(query).one()
    if wait := lockout.waiting(kind, row.failures, row.last_at, now):
        raise TooMany(-(-wait // clock.SECOND), "Muitas tentativas; aguarde")
    failures = lockout.counted(row.failures, row.last_at, now) + 1
    tx.connection.execute(update(LoginFailure).where(*key).values(failures=failures, last_at=now))


def _verify(email: str, password: str) -> Known | None:
    """The active person with this e-mail and password, in the same time for all."""
    with reading() as connection:
        row = connection.execute(
            select(User.id, User.name, User.level, User.active, User.password_hash).where(
                User.email == email
            )
        ).one_or_none()
    right = passwords.matches(row.password_hash if row else passwords.NOBODY, password)
    if row is None or not right or not row.active:
        return None
    if passwords.outdated(row.password_hash):
        _renew_hash(row.id, passwords.hashed(password))
    return Known(row.id, row.name, row.level)


def _renew_hash(user_id: int, secret: str) -> None:
    with transaction() as tx:
        tx.connection.execute(update(User).where(User.id == user_id).values(password_hash=secret))


def _forgive(known: Known, account: tuple[str, str], address: tuple[str, str]) -> None:
    """A right password clears the account's count and takes back the address's last one.

    Were the address cleared too, whoever has one account could guess at all others for free.
    """
    with transaction(durable=False) as tx:
        tx.connection.execute(
            delete(LoginFailure).where(
                LoginFailure.kind == account[0], LoginFailure.subject == account[1]
            )
        )
        tx.connection.execute(
            update(LoginFailure)
            .where(LoginFailure.kind == address[0], LoginFailure.subject == address[1])
            .values(failures=LoginFailure.failures - 1)
        )
        tx.connection.execute(
            update(User).where(User.id == known.id).values(last_login_at=clock.now())
        )


def begin_session(known: Known, hours: float, address: str, user_agent: str) -> str:
    """Start a login of so many hours; its token, which is known to the browser alone."""
    token, now = secrets.token_urlsafe(32), clock.now()
    by = Actor("user", known.id, known.name, known.level, address=address)
    with transaction() as tx:
        tx.connection.execute(
            insert(LoginSession).values(
                token_hash=token_hash(token),
                user_id=known.id,
                created_at=now,
                seen_at=now,
                expires_at=now + round(hours * clock.HOUR),
                address=address,
                user_agent=user_agent[:255],
            )
        )
        record(tx, by, "session.started", f"user:{known.id}")
    return token


def end_session(by: Actor, token: str) -> None:
    """Sign out; copies of the cookie are worth nothing from now on."""
    with transaction() as tx:
        tx.connection.execute(
            delete(LoginSession).where(LoginSession.token_hash == token_hash(token))
        )
        record(tx, by, "session.ended", f"user:{by.id}")


def touch_session(token: str) -> None:
    """Note that the login is in use; a busy database is no reason to refuse a page."""
    try:
        with transaction(durable=False) as tx:
            tx.connection.execute(
                update(LoginSession)
                .where(LoginSession.token_hash == token_hash(token))
                .values(seen_at=clock.now())
            )
    except OperationalError as problem:
        log.warning("use of a login not noted: %s", problem.orig)


def remove_stale() -> int:
    """Drop logins that are over and failures that are forgotten; how many."""
    now = clock.now()
    with transaction(durable=False) as tx:
        over = tx.connection.execute(delete(LoginSession).where(LoginSession.expires_at < now))
        forgotten = tx.connection.execute(
            delete(LoginFailure).where(LoginFailure.last_at < now - lockout.FORGOTTEN)
        )
        return over.rowcount + forgotten.rowcount
