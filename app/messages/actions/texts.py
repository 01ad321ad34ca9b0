"""Writes on templates, quiet hours and opt-outs; each is one audit entry."""

from __future__ import annotations

from sqlalchemy import delete as sql_delete
from sqlalchemy import func, insert, select, update

from app.access.actions import audit
from app.access.actor import Actor
from app.db import Tx, insert_missing, transaction
from app.errors import Invalid, NotFound
from app.messages.models import MessageTemplate, OptOut, QuietHours
from app.messages.rules import templates as rules
from app.messages.rules.phones import normalise
from app.messages.rules.quiet import TIME
from app.messages.rules.templates import Words

ONE = 1


def save_template(
    key: str, channel: str, words: Words, *, by: Actor, now: int, why: str | None = None
) -> int:
    """Store a new version; its number. Invalid names each field; old versions stay."""
    if wrong := rules.problems(key, channel, words):
        raise Invalid("O modelo não pode ser salvo", wrong)
    with transaction() as tx:
        newest = select(func.max(MessageTemplate.version)).where(
            MessageTemplate.key == key, MessageTemplate.channel == channel
        )
        version = (tx.connection.scalar(newest) or 0) + 1
        tx.connection.execute(
            insert(MessageTemplate).values(
                key=key, channel=channel, version=version, subject=words.subject,
                text=words.text, html=words.html, created_at=now, created_by=by.name[:120],
            )
        )  # fmt: skip
        target = f"template:{key}/{channel}"
        told = {"version": version, "subject": words.subject, "text": words.text}
        audit.record(tx, by, "template.saved", target, why, None, told)
    return version


def set_quiet_hours(starts: str, ends: str, *, by: Actor, why: str | None = None) -> None:
    """Change the quiet hours (`HH:MM`); equal times mean none. Invalid."""
    for field, text in (("starts", starts), ("ends", ends)):
        if not TIME.fullmatch(text):
            raise Invalid(details={field: ["deve ser HH:MM"]})
    with transaction() as tx:
        row = {"id": ONE, "starts": starts, "ends": ends}
        before = tx.connection.execute(select(QuietHours.starts, QuietHours.ends)).first()
        insert_missing(tx.connection, QuietHours, [row])
        tx.connection.execute(update(QuietHours).where(QuietHours.id == ONE).values(**row))
        was = dict(before._mapping) if before else None
        now = {"starts": starts, "ends": ends}
        audit.record(tx, by, "quiet_hours.set", "quiet_hours", why, was, now)


def opt_out(tx: Tx, phone: str, source: str, now: int) -> None:
    """Note that a person (normalised phone) wants no automatic messages."""
    row = {"phone": phone, "at": now, "source": source[:120]}
    insert_missing(tx.connection, OptOut, [row])


def opt_out_by_hand(phone: str, *, by: Actor, now: int, why: str | None = None) -> str:
    """The same on a person's word; the normalised phone. Invalid."""
    digits = normalise(phone)
    if not digits:
        raise Invalid(details={"phone": ["não é um telefone"]})
    with transaction() as tx:
        opt_out(tx, digits, by.name, now)
        audit.record(tx, by, "messages.opted_out", f"phone:…{digits[-4:]}", why)
    return digits


def opt_in(phone: str, *, by: Actor, why: str | None = None) -> None:
    """The person wants messages again. NotFound."""
    with transaction() as tx:
        digits = normalise(phone)
        if not tx.connection.execute(sql_delete(OptOut).where(OptOut.phone == digits)).rowcount:
            raise NotFound("Este telefone não pediu para sair")
        audit.record(tx, by, "messages.opted_in", f"phone:…{digits[-4:]}", why)
