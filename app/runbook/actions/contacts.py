"""Writes on contacts and escalation rules; each is one audit entry."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import insert, update

from app.access.actions import audit
from app.access.actor import Actor
from app.access.rules.emails import normal_email
from app.db import insert_missing, transaction
from app.errors import Invalid, NotFound
from app.runbook.models.contacts import Contact, EscalationRule
from app.runbook.queries import contacts as queries
from app.runbook.queries.contacts import Reach
from app.runbook.rules.escalation import Rules


def save_contact(wanted: Reach, *, by: Actor, now: int) -> None:
    """Change how a level is reached. Invalid, NotFound."""
    email = normal_email(wanted.email)
    problems = {
        "name": [] if 0 < len(wanted.name) <= 120 else ["Escreva o nome"],
        "email": [] if email else ["Escreva um e-mail válido"],
        "phone": [] if len(wanted.phone) <= 40 else ["Use no máximo 40 caracteres"],
        "calls_for": [] if len(wanted.calls_for) <= 200 else ["Use no máximo 200 caracteres"],
    }
    if wrong := {name: texts for name, texts in problems.items() if texts}:
        raise Invalid(details=wrong)
    values = {**asdict(wanted), "email": email, "changed_at": now, "changed_by": by.name[:120]}
    with transaction() as tx:
        before = queries.contacts(tx.connection).get(wanted.level)
        if before is None:
            raise NotFound("Nível não encontrado")
        insert_missing(tx.connection, Contact, [values])
        change = update(Contact).where(Contact.level == wanted.level)
        tx.connection.execute(change.values(**values))
        after = {**asdict(wanted), "email": email}
        audit.record(tx, by, "contact.saved", f"level:{wanted.level}", None, asdict(before), after)


def save_rules(wanted: Rules, *, by: Actor, why: str, now: int) -> int:
    """A new version for incidents that begin from now on; its number. Invalid."""
    wrong = wanted.problems()
    if not why.strip():
        wrong["why"] = ["Escreva o motivo"]
    if wrong:
        raise Invalid(details=wrong)
    with transaction() as tx:
        version, before = queries.rules(tx.connection)
        row = {"version": version + 1, "at": now, "by": by.name[:120], "why": why.strip()[:500]}
        tx.connection.execute(insert(EscalationRule).values(**asdict(wanted), **row))
        target = f"escalation_rules:{version + 1}"
        audit.record(
            tx, by, "escalation.changed", target, why.strip(), asdict(before), asdict(wanted)
        )
    return version + 1
