"""Writes of the checklists: made once a shift, looked at, answered, signed, read."""

from __future__ import annotations

import json
from dataclasses import asdict
from zoneinfo import ZoneInfo

from sqlalchemy import insert, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from app.access.actions import audit
from app.access.actor import SYSTEM, Actor
from app.db import Tx, reading, transaction
from app.errors import Conflict, Invalid, NotFound
from app.runbook.models.checklists import Checklist, ChecklistItem, ChecklistTemplate
from app.runbook.queries import checklists as queries
from app.runbook.rules import checks, handover, shifts
from app.runbook.rules.checks import Readings
from app.runbook.rules.ticks import OPEN


def ensure(now: int, zone: ZoneInfo) -> int:
    """The id of the present shift's checklist, made now where it is missing.

    Shifts that went by while the hub was off are made too, so that they show as missed.
    """
    present = shifts.current(now, zone)
    with reading() as c:
        found = queries.find_id(c, present)
        missing = [] if found else shifts.since(queries.last_due(c), now, zone)
    for shift in missing:
        try:
            with transaction() as tx:
                _make(tx, shift, now)
        except IntegrityError:
            # Another scheduler or reader was quicker: the (day, shift) is unique.
            continue
    with reading() as c:
        found = queries.find_id(c, present)
    if found is None:
        raise NotFound("Checklist not found")
    return found


def _make(tx: Tx, shift: shifts.Shift, now: int) -> None:
    template = _stored_template(tx, shift.name, now)
    made = tx.connection.execute(
        insert(Checklist).values(
            day=shift.day.isoformat(), shift=shift.name, template_id=template.id,
            due_at=shift.due_at, created_at=now,
        )
    )  # fmt: skip
    key = made.inserted_primary_key
    rows = [
        {"checklist_id": key[0] if key else None, "n": n, **asdict(line)}
        for n, line in enumerate(template.lines, 1)
    ]
    tx.connection.execute(insert(ChecklistItem), rows)


def _stored_template(tx: Tx, shift: str, now: int) -> queries.Template:
    """The newest version; the runbook's own is stored when it is first needed."""
    found = queries.template(tx.connection, shift)
    if found.id is not None:
        return found
    store_template(tx, found, SYSTEM.name, "runbook § 2", now)
    return queries.template(tx.connection, shift)


def store_template(tx: Tx, template: queries.Template, by: str, why: str, now: int) -> None:
    """The next version of a template, with these lines."""
    lines = json.dumps([asdict(line) for line in template.lines], ensure_ascii=False)
    tx.connection.execute(
        insert(ChecklistTemplate).values(
            shift=template.shift, version=template.version + 1, items_json=lines,
            created_at=now, created_by=by, why=why,
        )
    )  # fmt: skip


def look(checklist_id: int, readings: Readings) -> None:
    """Write down what the data says about each item, where that is news.

    Pages look every few seconds: only what is news waits for its turn to write.
    """
    with reading() as c:
        if not _news(c, checklist_id, readings):
            return
    with transaction(durable=False) as tx:
        for n, values in _news(tx.connection, checklist_id, readings):
            same = (ChecklistItem.checklist_id == checklist_id, ChecklistItem.n == n)
            tx.connection.execute(update(ChecklistItem).where(*same).values(**values))


def _news(c: Connection, checklist_id: int, readings: Readings) -> list[tuple[int, dict[str, str]]]:
    """(number, new values) of the items about which the data says something else."""
    query = select(
        ChecklistItem.n, ChecklistItem.check, ChecklistItem.first_json, ChecklistItem.last_json
    ).where(ChecklistItem.checklist_id == checklist_id)
    news = []
    for row in c.execute(query).all():
        found = checks.look(row.check, readings)
        if checks.is_news(checks.from_json(row.last_json), found):
            text = found.as_json()
            news.append((row.n, {"last_json": text, "first_json": row.first_json or text}))
    return news


def sign(checklist_id: int, note: str, *, by: Actor, now: int, zone: ZoneInfo) -> None:
    """Conclude a checklist with the note for the next shift. Invalid, Conflict, NotFound."""
    if len(note) > handover.LONGEST:
        raise Invalid(details={"note": [f"Use no máximo {handover.LONGEST} caracteres"]})
    with transaction() as tx:
        demand_open(tx, checklist_id, now, zone)
        if left := _unanswered(tx, checklist_id):
            raise Conflict(f"Responda antes de assinar: {left} sem resposta.")
        same = (Checklist.id == checklist_id, Checklist.signed_at.is_(None))
        values = {"signed_at": now, "signed_by": by.name, "note": note.strip()}
        if not tx.connection.execute(update(Checklist).where(*same).values(**values)).rowcount:
            raise Conflict("Outra pessoa acabou de assinar este checklist.")
        after = {"note": note.strip()}
        audit.record(tx, by, "checklist.signed", name(checklist_id), None, None, after)


def demand_open(tx: Tx, checklist_id: int, now: int, zone: ZoneInfo) -> None:
    """Refuse what comes after the signature or after the next shift began. NotFound, Conflict."""
    found = queries.sheet(tx.connection, checklist_id, now, zone)
    if found.state == shifts.SIGNED:
        raise Conflict(f"{found.row.signed_by} já assinou este checklist.")
    if found.state == shifts.MISSED:
        raise Conflict("O turno seguinte já começou: este checklist não pode mais mudar.")


def _unanswered(tx: Tx, checklist_id: int) -> int:
    query = select(ChecklistItem.n).where(
        ChecklistItem.checklist_id == checklist_id, ChecklistItem.state == OPEN
    )
    return len(tx.connection.execute(query).all())


def mark_read(checklist_id: int, *, by: Actor, now: int) -> None:
    """Say that the hand-over was read; whoever says so first is kept. NotFound."""
    with transaction() as tx:
        same = (Checklist.id == checklist_id, Checklist.signed_at.is_not(None))
        if tx.connection.execute(select(Checklist.id).where(*same)).first() is None:
            raise NotFound("Checklist not found")
        unread = update(Checklist).where(*same, Checklist.read_at.is_(None))
        if tx.connection.execute(unread.values(read_at=now, read_by=by.name)).rowcount:
            audit.record(tx, by, "checklist.note_read", name(checklist_id))


def name(checklist_id: int) -> str:
    """How the audit trail calls a checklist."""
    return f"checklist:{checklist_id}"
