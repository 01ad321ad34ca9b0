"""Answer an item of a checklist, or undo the answer: compare and set, with history."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from sqlalchemy import insert, select, update

from app.access.actions import audit
from app.access.actor import Actor
from app.db import Tx, transaction
from app.errors import Conflict, Invalid, NotFound
from app.paging import AnyRow
from app.runbook.actions.checklists import demand_open, name
from app.runbook.models.checklists import ChecklistItem, ChecklistTick
from app.runbook.rules import ticks as rules
from app.runbook.rules.checks import from_json


def tick(
    checklist_id: int,
    n: int,
    command: str,
    note: str,
    seen: int | None,
    *,
    by: Actor,
    now: int,
    zone: ZoneInfo,
) -> None:
    """Give a command about an item; `seen` is the item's `seq` that the person looked at.

    Giving it twice changes nothing. NotFound, Invalid (a note is missing), Conflict.
    """
    note = note.strip()
    with transaction() as tx:
        demand_open(tx, checklist_id, now, zone)
        row = _demand(tx, checklist_id, n)
        if seen not in (None, row.seq) or not rules.moves(command, row.state):
            if row.state == rules.COMMANDS[command]:
                return
            raise Conflict(rules.conflict(row.state, row.by_name))
        _check_note(command, note, row)
        _write(tx, row, command, note, by, now)
        before, after = {"state": row.state}, {"state": rules.COMMANDS[command]}
        target = f"{name(checklist_id)}:{n}"
        audit.record(tx, by, "checklist.ticked", target, note or None, before, after)


def _demand(tx: Tx, checklist_id: int, n: int) -> AnyRow:
    query = select(ChecklistItem.__table__).where(
        ChecklistItem.checklist_id == checklist_id, ChecklistItem.n == n
    )
    row = tx.connection.execute(query).one_or_none()
    if row is None:
        raise NotFound("Checklist item not found")
    return row


def _check_note(command: str, note: str, row: AnyRow) -> None:
    if len(note) > rules.LONGEST_NOTE:
        raise Invalid(details={"note": [f"Use no máximo {rules.LONGEST_NOTE} caracteres"]})
    missing = rules.needs_note(command, from_json(row.last_json))
    if missing and not note:
        raise Invalid(missing, {"note": [missing]})


def _write(tx: Tx, row: AnyRow, command: str, note: str, by: Actor, now: int) -> None:
    """The item as it is now, and what was said as history."""
    undone = command == rules.UNDO
    values = {
        "seq": row.seq + 1,
        "state": rules.COMMANDS[command],
        "by_name": "" if undone else by.name,
        "at": None if undone else now,
        "note": "" if undone else note,
    }
    same = (
        ChecklistItem.checklist_id == row.checklist_id,
        ChecklistItem.n == row.n,
        ChecklistItem.seq == row.seq,
    )
    if not tx.connection.execute(update(ChecklistItem).where(*same).values(**values)).rowcount:
        # Two people at once: the first one's answer stays.
        raise Conflict("Outra pessoa acabou de responder este item.")
    said = {
        "checklist_id": row.checklist_id, "n": row.n, "seq": row.seq + 1, "action": command,
        "by_id": by.id, "by_name": by.name, "at": now, "note": note,
        "evidence_json": row.last_json,
    }  # fmt: skip
    tx.connection.execute(insert(ChecklistTick).values(**said))
