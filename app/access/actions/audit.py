"""The audit trail: each entry carries the hash of the one before, so that a change shows."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from app import clock
from app.access.actions.rows import ensure_row
from app.access.actor import Actor
from app.access.models import AuditEntry, AuditHead
from app.access.rules.chain import entry_hash
from app.db import Tx, transaction

LONGEST_WHY = 500


def record(
    tx: Tx, by: Actor, action: str, target: str, why: str | None = None,
    before: Any = None, after: Any = None,
) -> int:  # fmt: skip
    """Add an entry in the transaction of what it tells about; its number.

    Writers stand in line at the head row until they commit: make it the last thing of the
    transaction. `before` and `after` are JSON values without secrets.
    """
    last_id, last_hash = _lock_head(tx)
    entry = {
        "id": last_id + 1,
        "at": clock.now(),
        "actor_kind": by.kind,
        "actor_id": by.id,
        "actor_name": by.name[:120],
        "action": action,
        "target": target,
        "why": why[:LONGEST_WHY] if why else None,
        "before_json": _json(before),
        "after_json": _json(after),
        "address": by.address,
        "previous_hash": last_hash,
    }
    _append(tx, {**entry, "hash": entry_hash(entry)})
    return last_id + 1


def _append(tx: Tx, entry: dict[str, Any]) -> None:
    """Write the entry and move the head to it."""
    tx.connection.execute(insert(AuditEntry).values(**entry))
    tx.connection.execute(update(AuditHead).values(last_id=entry["id"], last_hash=entry["hash"]))


def _lock_head(tx: Tx) -> Row[int, str]:
    """The head, ours until the commit (SQLite's transactions are alone anyway)."""
    query = select(AuditHead.last_id, AuditHead.last_hash).with_for_update()
    if head := tx.connection.execute(query).one_or_none():
        return head
    ensure_row(tx, AuditHead, id=1, last_id=0, last_hash="", removed_id=0, removed_hash="")
    return tx.connection.execute(query).one()


def _json(value: Any) -> str | None:
    """Compact JSON with sorted keys, or None."""
    if value is None:
        return None
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def remove_before(moment: int) -> int:
    """Drop entries older than `moment` (ms) from the start of the chain; how many."""
    with transaction() as tx:
        _lock_head(tx)
        last = tx.connection.execute(
            select(AuditEntry.id, AuditEntry.hash)
            .where(AuditEntry.at < moment)
            .order_by(AuditEntry.id.desc())
            .limit(1)
        ).one_or_none()
        if last is None:
            return 0
        gone = tx.connection.execute(delete(AuditEntry).where(AuditEntry.id <= last.id))
        tx.connection.execute(update(AuditHead).values(removed_id=last.id, removed_hash=last.hash))
        return gone.rowcount
