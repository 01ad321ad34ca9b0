"""Reads of the contacts and the escalation rules in force."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.engine import Connection

from app.runbook.models.contacts import Contact, EscalationRule
from app.runbook.rules.escalation import DEVELOPMENT, MANAGEMENT, OPERATION, Rules


@dataclass(frozen=True, slots=True)
class Reach:
    """How a level is reached, and what it is called for."""

    level: int
    name: str
    email: str
    phone: str
    calls_for: str


# Runbook § 5.
USUAL = (
    Reach(OPERATION, "Operação", "operacao@carinho.com.vc", "", "Falhas pontuais"),
    Reach(DEVELOPMENT, "Desenvolvimento", "dev@carinho.com.vc", "", "Falhas recorrentes"),
    Reach(MANAGEMENT, "Gestão", "gestao@carinho.com.vc", "", "Indisponibilidade crítica"),
)


def contacts(c: Connection) -> dict[int, Reach]:
    """Each level's contact: as stored, else as the runbook says."""
    columns = (Contact.level, Contact.name, Contact.email, Contact.phone, Contact.calls_for)
    stored = {row.level: Reach(*row) for row in c.execute(select(*columns))}
    return {usual.level: stored.get(usual.level, usual) for usual in USUAL}


def rules(c: Connection) -> tuple[int, Rules]:
    """Version and rules for incidents that begin now; version 0 is the runbook's."""
    query = select(EscalationRule.__table__).order_by(EscalationRule.version.desc()).limit(1)
    row = c.execute(query).one_or_none()
    if row is None:
        return 0, Rules()
    return row.version, Rules(row.persists, row.unavailable, row.idle)
