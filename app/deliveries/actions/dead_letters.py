"""What people do with dead letters: one or a selection; each deed is one audit entry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete as sql_delete
from sqlalchemy import select

from app.access.actions import audit
from app.access.actor import Actor
from app.db import Tx, transaction
from app.deliveries.actions.conclude import move_dead_letters
from app.deliveries.actions.revive import Moved, retry_dead_letters
from app.deliveries.models import ARCHIVED, OPEN, RETRYING, DeadLetter
from app.deliveries.rules import dead_letter as rules
from app.errors import Conflict, NotFound

CHANGED = "mudou entretanto"


def retry(letter_id: int, *, by: Actor, why: str | None, now: int) -> int:
    """Send one again (no-op where it is on its way); its event's id. NotFound, Conflict."""
    with transaction() as tx:
        row = _demand(tx, letter_id, "retry", (RETRYING,))
        if row.state == RETRYING:
            return int(row.event_id)
        moved = retry_dead_letters(tx, [letter_id], by.name, now, why)
        if letter_id in moved.skipped:
            raise Conflict(f"A mensagem não pode ser enviada: {moved.skipped[letter_id]}")
        if moved.done:
            _note(tx, by, "dlq.retried", letter_id, why, OPEN, RETRYING)
    return int(row.event_id)


def archive(letter_id: int, *, by: Actor, why: str | None, now: int) -> None:
    """Put one aside, out of every count; nothing happens where it is. NotFound, Conflict."""
    with transaction() as tx:
        row = _demand(tx, letter_id, "archive", (ARCHIVED,))
        if row.state == OPEN and archive_dead_letters(tx, [letter_id], by.name, now, why).done:
            _note(tx, by, "dlq.archived", letter_id, why, OPEN, ARCHIVED)


def unarchive(letter_id: int, *, by: Actor, why: str | None, now: int) -> None:
    """Take one back into the open ones; nothing happens where it is. NotFound, Conflict."""
    with transaction() as tx:
        row = _demand(tx, letter_id, "unarchive", (OPEN,))
        if row.state == ARCHIVED and _move(tx, [letter_id], ARCHIVED, OPEN, by.name, now).done:
            _note(tx, by, "dlq.unarchived", letter_id, why, ARCHIVED, OPEN)


def delete(letter_id: int, *, by: Actor, why: str | None) -> None:
    """Delete one that is archived; event, delivery and attempts stay. NotFound, Conflict."""
    with transaction() as tx:
        row = _demand(tx, letter_id, "delete")
        same = (DeadLetter.id == letter_id, DeadLetter.state == ARCHIVED)
        if not tx.connection.execute(sql_delete(DeadLetter).where(*same)).rowcount:
            raise Conflict(rules.refusal("delete", OPEN))
        before = {"state": row.state, "event_id": row.event_id, "reason": row.reason}
        audit.record(tx, by, "dlq.deleted", _name(letter_id), why, before)


def retry_selection(ids: Sequence[int], *, by: Actor, why: str | None, now: int) -> Moved:
    """Send a selection again; those in another state are skipped."""
    with transaction() as tx:
        moved = retry_dead_letters(tx, ids, by.name, now, why)
        return _note_selection(tx, by, "dlq.selection_retried", ids, why, moved)


def archive_selection(ids: Sequence[int], *, by: Actor, why: str | None, now: int) -> Moved:
    """Put a selection aside; those in another state are skipped."""
    with transaction() as tx:
        moved = archive_dead_letters(tx, ids, by.name, now, why)
        return _note_selection(tx, by, "dlq.selection_archived", ids, why, moved)


def archive_dead_letters(
    tx: Tx, ids: Sequence[int], by: str, now: int, why: str | None = None
) -> Moved:
    """Move open letters out of every count; others are left alone."""
    return _move(tx, ids, OPEN, ARCHIVED, by, now, why)


def _move(
    tx: Tx, ids: Sequence[int], before: str, after: str, by: str, now: int, why: str | None = None
) -> Moved:
    query = select(DeadLetter.delivery_id).where(DeadLetter.id.in_(list(ids)))
    deliveries = list(tx.connection.scalars(query))
    rows = move_dead_letters(tx, before, after, deliveries, now, by, why or "")
    return Moved([row.id for row in rows], {})


def _demand(tx: Tx, letter_id: int, action: str, also: Sequence[str] = ()) -> Any:
    """The letter, where its state allows the action or is one of `also`."""
    query = select(
        DeadLetter.id, DeadLetter.state, DeadLetter.event_id, DeadLetter.reason
    ).where(DeadLetter.id == letter_id)  # fmt: skip
    row = tx.connection.execute(query).one_or_none()
    if row is None:
        raise NotFound("Dead letter not found")
    if row.state not in also and not rules.allowed(action, row.state):
        raise Conflict(rules.refusal(action, row.state))
    return row


def _name(letter_id: int) -> str:
    return f"dead_letter:{letter_id}"


def _note(
    tx: Tx, by: Actor, action: str, letter_id: int, why: str | None, before: str, after: str
) -> None:
    states = {"state": before}, {"state": after}
    audit.record(tx, by, action, _name(letter_id), why, *states)


def _note_selection(
    tx: Tx, by: Actor, action: str, ids: Sequence[int], why: str | None, moved: Moved
) -> Moved:
    """One entry for all; a selection with nothing left to do leaves none."""
    if moved.done:
        after = {"count": len(moved.done), "ids": moved.done}
        audit.record(tx, by, action, "dead_letters", why, None, after)
    skipped = {id_: CHANGED for id_ in ids if id_ not in moved.done} | moved.skipped
    return Moved(moved.done, skipped)
