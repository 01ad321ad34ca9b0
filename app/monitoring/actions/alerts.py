"""What people do with an alert: take it on, put it to sleep, wake it, note; and its end."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select, update

from app import clock
from app.access.actions import audit
from app.access.actor import Actor
from app.db import Tx, transaction
from app.errors import Conflict, Invalid
from app.monitoring.actions.watch import note
from app.monitoring.models import AlertRow
from app.monitoring.queries.alerts import find_alert
from app.paging import AnyRow

LONGEST_SNOOZE = 7 * clock.DAY
AT_ONCE = 500


def acknowledge(alert_id: int, *, by: Actor, now: int) -> AnyRow:
    """Say that somebody is on it; Conflict where another has it already."""
    with transaction() as tx:
        row = _open(tx, alert_id)
        if row.acknowledged_by and row.acknowledged_by != by.name:
            raise Conflict(f"{row.acknowledged_by} já assumiu este alerta")
        if not row.acknowledged_by:
            free = AlertRow.acknowledged_by.is_(None)
            values = {"acknowledged_by": by.name[:120], "acknowledged_at": now}
            if not _change(tx, alert_id, values, free):
                raise Conflict("Outra pessoa assumiu este alerta agora mesmo")
            note(tx, alert_id, "acknowledged", now, by=by.name)
            audit.record(tx, by, "alert.acknowledged", _target(row))
    return row


def release(alert_id: int, *, by: Actor, now: int) -> AnyRow:
    """Give it back: nobody is on it any more."""
    with transaction() as tx:
        row = _open(tx, alert_id)
        if row.acknowledged_by:
            _change(tx, alert_id, {"acknowledged_by": None, "acknowledged_at": None})
            note(tx, alert_id, "released", now, by=by.name)
            audit.record(tx, by, "alert.released", _target(row))
    return row


def snooze(alert_id: int, until: int, *, by: Actor, why: str, now: int) -> AnyRow:
    """Send and count nothing about it until then (ms), or until it becomes critical."""
    if not now < until <= now + LONGEST_SNOOZE:
        raise Invalid(details={"until": ["must lie in the future, at most 7 days ahead"]})
    with transaction() as tx:
        row = _open(tx, alert_id)
        _change(tx, alert_id, {"snoozed_until": until})
        note(tx, alert_id, "snoozed", now, f"{until}|{why}", by.name)
        audit.record(tx, by, "alert.snoozed", _target(row), why, None, {"until": clock.iso(until)})
    return row


def wake(alert_id: int, *, by: Actor, now: int) -> AnyRow:
    """End its sleep."""
    with transaction() as tx:
        row = _open(tx, alert_id)
        if row.snoozed_until:
            _change(tx, alert_id, {"snoozed_until": None})
            note(tx, alert_id, "woken", now, by=by.name)
            audit.record(tx, by, "alert.woken", _target(row))
    return row


def add_note(alert_id: int, text: str, *, by: Actor, now: int) -> AnyRow:
    """Write something down; closed alerts take notes too."""
    if not text.strip():
        raise Invalid(details={"text": ["must not be empty"]})
    with transaction() as tx:
        row = find_alert(tx.connection, alert_id)
        note(tx, alert_id, "note", now, text.strip(), by.name)
    return row


def cleanup_alerts(before: int) -> int:
    """Delete alerts that were over before (ms), with their history; how many."""
    old = select(AlertRow.id).where(AlertRow.closed_at < before).order_by(AlertRow.closed_at)
    gone = 0
    while True:
        with transaction(durable=False) as tx:
            ids = list(tx.connection.scalars(old.limit(AT_ONCE)))
            if ids:
                tx.connection.execute(delete(AlertRow).where(AlertRow.id.in_(ids)))
        gone += len(ids)
        if len(ids) < AT_ONCE:
            return gone


def _open(tx: Tx, alert_id: int) -> AnyRow:
    row = find_alert(tx.connection, alert_id)
    if row.closed_at is not None:
        raise Conflict("Este alerta já foi encerrado")
    return row


def _change(tx: Tx, alert_id: int, values: dict[str, Any], *only: Any) -> bool:
    query = update(AlertRow).where(AlertRow.id == alert_id, AlertRow.active_key.is_not(None), *only)
    return bool(tx.connection.execute(query.values(**values)).rowcount)


def _target(row: AnyRow) -> str:
    return f"alert {row.id} {row.type} {row.subject}".strip()
