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
from app.access.rules import codes, lockout, passwords
from app.access.rules.emails import normal_email
from app.db import Tx, reading, transaction
from app.errors import TooMany, Unauthenticated

REFUSED = "E-mail ou senha incorretos"
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody whose password was right; `second_step`: a code is still to be asked for.

    `stamp` says of which state of the person that was true.
    """

    id: int
    name: str
    level: int
    second_step: bool = False
    stamp: str = ""


def authenticate(email: str, password: str, address: str) -> Known:
    """Who this is. Unauthenticated: same answer and work whatever was wrong; TooMany: wait.

    Where a code is still to come nothing is forgiven yet: codes could be guessed for ever.
    """
    known = _prove(email, password, address)
    if not known.second_step:
        forgive(known, email, address)
    return known


def confirm_password(email: str, password: str, address: str) -> None:
    """Whether somebody who is signed in is still the one. Unauthenticated; TooMany: wait."""
    forgive(_prove(email, password, address), email, address)


def _prove(email: str, password: str, address: str) -> Known:
    count_attempt(email, address)
    known = _verify(normal_email(email), password)
    if known is None:
        raise Unauthenticated(REFUSED)
    return known


def count_attempt(email: str, address: str) -> None:
    """Count before it is checked: a hundred guesses at once are a hundred guesses. TooMany."""
    with transaction(durable=False) as tx:
        for kind, subject in _counters(email, address):
            _count(tx, kind, subject)


def _counters(email: str, address: str) -> tuple[tuple[str, str], tuple[str, str]]:
    """What an attempt counts against."""
    return (
        (lockout.ACCOUNT, lockout.account_subject(normal_email(email) or email)),
        (lockout.ADDRESS, lockout.address_subject(address)),
    )


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
    columns = (User.id, User.name, User.level, User.active, User.password_hash)
    query = select(*columns, User.totp_secret, User.last_login_at).where(User.email == email)
    with reading() as connection:
        row = connection.execute(query).one_or_none()
    right = passwords.matches(row.password_hash if row else passwords.NOBODY, password)
    if row is None or not right or not row.active:
        return None
    secret = row.password_hash
    if passwords.outdated(secret):
        secret = passwords.hashed(password)
        _renew_hash(row.id, secret)
    stamp = codes.stamp(secret, row.totp_secret, row.last_login_at)
    return Known(row.id, row.name, row.level, bool(row.totp_secret), stamp)


def _renew_hash(user_id: int, secret: str) -> None:
    with transaction() as tx:
        tx.connection.execute(update(User).where(User.id == user_id).values(password_hash=secret))


def forgive(known: Known, email: str, address: str, attempts: int = 1) -> None:
    """Clear the account's count and take back these attempts of the address.

    Were the address cleared too, whoever has one account could guess at all others for free.
    """
    account, place = _counters(email, address)
    with transaction(durable=False) as tx:
        tx.connection.execute(
            delete(LoginFailure).where(
                LoginFailure.kind == account[0], LoginFailure.subject == account[1]
            )
        )
        tx.connection.execute(
            update(LoginFailure)
            .where(LoginFailure.kind == place[0], LoginFailure.subject == place[1])
            .values(failures=LoginFailure.failures - attempts)
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
