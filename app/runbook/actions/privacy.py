"""Erase what is held of a person (LGPD): contents go, rows and counters stay; safe to repeat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, update

from app.access.actions import audit
from app.access.actor import Actor
from app.db import Tx, transaction
from app.deliveries.actions.dead_letters import archive_dead_letters
from app.deliveries.models import OPEN, DeadLetter, Delivery
from app.paging import AnyRow
from app.runbook.queries.privacy import HOLDINGS, Holding, batches, text_of
from app.runbook.rules.privacy import ERASED, Person, about, erased

REASON = "dados apagados a pedido da pessoa (LGPD)"


@dataclass
class Erasure:
    """What was erased by table, and what waits because it is still on its way."""

    erased: dict[str, int] = field(default_factory=dict)
    busy: dict[str, int] = field(default_factory=dict)


def erase(who: Person, *, by: Actor, why: str | None, dry_run: bool, now: int) -> Erasure:
    """Replace the person's data in every table; with `dry_run` only count it."""
    done = Erasure()
    for holding in HOLDINGS:
        done.erased[holding.name] = done.busy[holding.name] = 0
        for rows in batches(holding, who):
            ended = [row for row in rows if not holding.busy(row)]
            done.erased[holding.name] += len(ended)
            done.busy[holding.name] += len(rows) - len(ended)
            if not dry_run:
                _erase_batch(holding, ended, who, by, now)
    if not dry_run:
        told = {"erased": done.erased, "busy": done.busy}
        note(by, "privacy.erased", who, why, told)
    return done


def note(by: Actor, action: str, who: Person, why: str | None, told: dict[str, Any]) -> None:
    """The audit entry says what was searched by, never the person's data."""
    known_by = [name for name in ("phone", "email", "cpf") if getattr(who, name)]
    with transaction() as tx:
        audit.record(tx, by, action, f"person by {', '.join(known_by)}", why, None, told)


def _erase_batch(
    holding: Holding, rows: Sequence[AnyRow], who: Person, by: Actor, now: int
) -> None:
    """One transaction a batch: a stop in between loses nothing, the next run goes on."""
    if not rows:
        return
    with transaction() as tx:
        table = holding.model.__table__
        for row in rows:
            changed = update(table).where(table.c.id == row.id)  # type: ignore[arg-type]
            tx.connection.execute(changed.values(**_changes(holding, row, who)))
        if holding.model is Delivery:
            _put_aside(tx, [row.id for row in rows], by, now)


def _changes(holding: Holding, row: AnyRow, who: Person) -> dict[str, Any]:
    """New values of the columns that name the person."""
    values: dict[str, Any] = {}
    for name in holding.content:
        stored = getattr(row, name)
        if stored is not None and about(who, text_of(stored)):
            text = erased(who, text_of(stored))
            values[name] = text.encode() if isinstance(stored, bytes) else _short(text, name)
    for name in holding.names:
        if about(who, text_of(getattr(row, name))):
            values[name] = f"{ERASED}{row.id}"
    return values


def _short(text: str, column: str) -> str:
    """Phone numbers stand in a narrow column."""
    return "" if column in ("phone", "address") else text


def _put_aside(tx: Tx, delivery_ids: Sequence[int], by: Actor, now: int) -> None:
    """Dead letters whose message is gone must not be sent again."""
    query = select(DeadLetter.id).where(
        DeadLetter.delivery_id.in_(list(delivery_ids)), DeadLetter.state == OPEN
    )
    archive_dead_letters(tx, list(tx.connection.scalars(query)), by.name, now, REASON)
