"""Two-step login: switch it on and off, check a code, hand out recovery codes."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import delete, insert, select, update

from app import clock
from app.access.actions import logins
from app.access.actions.audit import record
from app.access.actions.logins import Known
from app.access.actor import Actor
from app.access.models import LoginSession, RecoveryCode, User
from app.access.rules import codes, lockout
from app.db import Tx, reading, transaction
from app.errors import Conflict, Invalid, NotFound, Unauthenticated
from app.paging import AnyRow
from app.secrets import seal, unseal

WRONG = "Código incorreto ou já usado"
ALREADY = "A verificação em duas etapas já está ligada"
# How long the way from the password to the code may take.
HALF_MS = 10 * clock.MINUTE


class Half(NamedTuple):
    """Half a login, kept by the browser: whose, since when (ms), from where, bound to what."""

    user_id: int
    at: int
    address: str
    stamp: str


def enable(by: Actor, secret: str, code: str) -> list[str]:
    """Switch it on for oneself with a code from the phone; the recovery codes, told once.

    Invalid: a wrong code. Conflict: it is on, and whoever took over a session could otherwise put
    their own phone in the place of the person's.
    """
    step = codes.step_of(secret, code, clock.now(), 0)
    if step is None:
        raise Invalid(details={"code": ["Código incorreto. Confira a hora do celular."]})
    fresh = codes.new_recovery_codes()
    with transaction() as tx:
        without = (User.id == by.id, User.totp_secret.is_(None))
        values = {"totp_secret": seal(secret), "totp_step": step}
        if not tx.connection.execute(update(User).where(*without).values(**values)).rowcount:
            raise Conflict(ALREADY)
        _replace_codes(tx, by.id, fresh)
        record(tx, by, "second_step.enabled", f"user:{by.id}")
    return fresh


def renew_codes(by: Actor) -> list[str]:
    """Ten new recovery codes; the old ones are worth nothing."""
    fresh = codes.new_recovery_codes()
    with transaction() as tx:
        _replace_codes(tx, by.id, fresh)
        record(tx, by, "second_step.codes_renewed", f"user:{by.id}")
    return fresh


def disable(by: Actor, user_id: int, why: str | None = None) -> None:
    """Switch it off (one's own, or that of somebody who lost phone and codes). NotFound.

    Conflict: a manager wants it for this person, who cannot switch it off then.
    """
    with transaction() as tx:
        if user_id == by.id and _is_required(tx, user_id):
            raise Conflict("A Gestão exige a verificação em duas etapas na sua conta")
        _set(tx, user_id, totp_secret=None, totp_step=0)
        _replace_codes(tx, user_id, [])
        if user_id != by.id:
            tx.connection.execute(delete(LoginSession).where(LoginSession.user_id == user_id))
        record(tx, by, "second_step.disabled", f"user:{user_id}", why)


def require(by: Actor, user_id: int, wanted: bool) -> None:
    """Say whether the person must have it; without it they only get to its page. NotFound."""
    with transaction() as tx:
        _set(tx, user_id, totp_required=wanted)
        verb = "required" if wanted else "optional"
        record(tx, by, f"second_step.{verb}", f"user:{user_id}")


def begin(known: Known, address: str) -> Half:
    """Half a login of somebody whose password was just right, given at this address."""
    return Half(known.id, clock.now(), address, known.stamp)


def lasts(half: Half) -> bool:
    """Whether it still stands: recent, not used, the person active and with the same password."""
    if not 0 <= clock.now() - half.at < HALF_MS:
        return False
    row = _person(half.user_id)
    return row is not None and _stamp(row) == half.stamp


def check(half: Half, code: str, address: str) -> Known:
    """Whether the code (of the phone or for recovery) is theirs and fresh; half a login opens one.

    Counted like a password: Unauthenticated, TooMany. A right one forgives what this login counted.
    """
    row = _person(half.user_id)
    if row is None or _stamp(row) != half.stamp:
        raise Unauthenticated(WRONG)
    logins.count_attempt(row.email, address)
    right = _by_phone(row, code) or _by_recovery(half.user_id, code)
    if not (right and _use_up(row)):
        raise Unauthenticated(WRONG)
    known = Known(row.id, row.name, row.level)
    # The password counted where it was given: elsewhere there is only the code to take back.
    same = lockout.address_subject(half.address) == lockout.address_subject(address)
    logins.forgive(known, row.email, address, attempts=2 if same else 1)
    return known


def _person(user_id: int) -> AnyRow | None:
    """An active person with a second step."""
    columns = (User.id, User.name, User.email, User.level, User.totp_secret, User.totp_step)
    query = select(*columns, User.password_hash, User.last_login_at).where(
        User.id == user_id, User.active.is_(True), User.totp_secret.is_not(None)
    )
    with reading() as connection:
        return connection.execute(query).one_or_none()


def _stamp(row: AnyRow) -> str:
    return codes.stamp(row.password_hash, row.totp_secret, row.last_login_at)


def _use_up(row: AnyRow) -> bool:
    """End every half login of the person; False: it had ended before."""
    with transaction() as tx:
        # Of two codes given at once for the same half login one finds the last login moved on.
        moved = tx.connection.execute(
            update(User)
            .where(
                User.id == row.id,
                User.active.is_(True),
                User.password_hash == row.password_hash,
                User.last_login_at.is_not_distinct_from(row.last_login_at),
            )
            .values(last_login_at=clock.now())
        )
        return moved.rowcount == 1


def _by_phone(row: AnyRow, code: str) -> bool:
    step = codes.step_of(unseal(row.totp_secret), code, clock.now(), row.totp_step)
    if step is None:
        return False
    with transaction() as tx:
        # Of two logins with the same code one finds the step taken.
        took = tx.connection.execute(
            update(User).where(User.id == row.id, User.totp_step < step).values(totp_step=step)
        )
        return took.rowcount == 1


def _by_recovery(user_id: int, code: str) -> bool:
    with transaction() as tx:
        used = tx.connection.execute(
            update(RecoveryCode)
            .where(
                RecoveryCode.user_id == user_id,
                RecoveryCode.code_hash == codes.recovery_hash(code),
                RecoveryCode.used_at.is_(None),
            )
            .values(used_at=clock.now())
        )
        return used.rowcount == 1


def _is_required(tx: Tx, user_id: int) -> bool:
    query = select(User.totp_required).where(User.id == user_id)
    return bool(tx.connection.execute(query).scalar_one_or_none())


def _set(tx: Tx, user_id: int | None, **values: object) -> None:
    changed = tx.connection.execute(update(User).where(User.id == user_id).values(**values))
    if not changed.rowcount:
        raise NotFound("Pessoa não encontrada")


def _replace_codes(tx: Tx, user_id: int | None, fresh: list[str]) -> None:
    tx.connection.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    rows = [{"code_hash": codes.recovery_hash(code), "user_id": user_id} for code in fresh]
    if rows:
        tx.connection.execute(insert(RecoveryCode), rows)
