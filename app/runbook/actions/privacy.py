"""Erase what is held of a person (LGPD): contents go, rows and counters stay; safe to repeat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, update

from app.access.actions import audit
from app.access.actor import Actor
from app.access.rules.masking import mask_text
from app.db import Tx, transaction
from app.deliveries.actions.dead_letters import archive_dead_letters
from app.deliveries.models import OPEN, DeadLetter, Delivery
from app.paging import AnyRow
from app.runbook.queries.privacy import (
    HOLDINGS,
    NOTED,
    Holding,
    batches,
    kin_of,
    notes,
    text_of,
)
from app.runbook.rules.privacy import ERASED, Person, about, erased, is_record

REASON = "dados apagados a pedido da pessoa (LGPD)"


@dataclass
class Erasure:
    """What was erased by table, and what waits because it is still on its way."""

    erased: dict[str, int] = field(default_factory=dict)
    busy: dict[str, int] = field(default_factory=dict)


def erase(who: Person, *, by: Actor, why: str | None, dry_run: bool, now: int) -> Erasure:
    """Replace the person's data in every table; with `dry_run` only count it."""
    done, kin = Erasure(), kin_of(who)
    for holding in HOLDINGS:
        done.erased[holding.name] = done.busy[holding.name] = 0
        for rows in batches(holding, who, kin):
            changed = {row.id: _changes(holding, row, who) for row in rows}
            ended = [row.id for row in rows if changed[row.id] and not holding.busy(row)]
            done.erased[holding.name] += len(ended)
            done.busy[holding.name] += sum(holding.busy(row) for row in rows)
            if not dry_run:
                _erase_batch(holding, {id_: changed[id_] for id_ in ended}, by, now)
    done.erased["checklist_notes"] = _erase_notes(who, dry_run)
    if not dry_run:
        told = {"erased": done.erased, "busy": done.busy}
        note(by, "privacy.erased", who, why, told)
    return done


def _erase_notes(who: Person, dry_run: bool) -> int:
    """What people wrote beside the lines of checklists; how many notes name the person."""
    found = 0
    for model in NOTED:
        table = model.__table__
        with transaction(durable=False) as tx:
            mine = notes(tx.connection, model, who)
            found += len(mine)
            if mine and not dry_run:
                change = update(table).where(table.c.note.in_(mine))  # type: ignore[arg-type]
                tx.connection.execute(change.values(note=ERASED))
    return found


def note(by: Actor, action: str, who: Person, why: str | None, told: dict[str, Any]) -> None:
    """The audit entry says what was searched by, never the person's data."""
    known_by = [name for name in ("phone", "email", "cpf") if getattr(who, name)]
    with transaction() as tx:
        audit.record(tx, by, action, f"person by {', '.join(known_by)}", why, None, told)


def _erase_batch(
    holding: Holding, changed: Mapping[int, dict[str, Any]], by: Actor, now: int
) -> None:
    """One transaction a batch: a stop in between loses nothing, the next run goes on."""
    if not changed:
        return
    with transaction() as tx:
        table = holding.model.__table__
        for row_id, values in changed.items():
            mine = update(table).where(table.c.id == row_id)  # type: ignore[arg-type]
            tx.connection.execute(mine.values(**values))
        if holding.model is Delivery:
            _put_aside(tx, list(changed), by, now)


def _changes(holding: Holding, row: AnyRow, who: Person) -> dict[str, Any]:
    """New values of the columns that name the person, or that hang on something of the person's:
    there also what only looks like somebody's phone or e-mail is theirs."""
    values: dict[str, Any] = {}
    for name in holding.content:
        stored = getattr(row, name)
        if stored is None or not (text := text_of(stored)):
            continue
        if about(who, text) or (holding.kin and (is_record(text) or mask_text(text) != text)):
            without = erased(who, text)
            if without != text:
                is_bytes = isinstance(stored, bytes)
                values[name] = without.encode() if is_bytes else _short(without, name)
    for name in holding.names:
        text = text_of(getattr(row, name))
        if about(who, text) or (holding.kin and mask_text(text) != text):
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
