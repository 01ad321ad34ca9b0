"""Keep one open alert per cause: opened when seen, moved with its level, closed when gone."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from app import clock
from app.db import Tx, reading, transaction
from app.facts import AlertAwake, AlertClosed, AlertMoved, AlertRaised
from app.monitoring.models import AlertEntry, AlertRow
from app.monitoring.queries.alerts import open_alerts
from app.monitoring.rules.alerts import Alert, by_cause
from app.monitoring.rules.bands import CRITICAL
from app.paging import AnyRow

# A cause must be gone for so long (ms): a value that swings round a limit is one alert.
CLEAR_MS = 30 * clock.SECOND


def watch(found: Sequence[Alert], now: int, unsure: Collection[str] = ()) -> None:
    """Bring the stored alerts to what was found; types in `unsure` are left as they are.

    Safe in two schedulers: the active key is unique, and every change is made only by whoever
    still finds the row as it was read.
    """
    causes = {each.key: each for each in by_cause(found) if each.type not in unsure}
    with reading() as c:
        known = {row.active_key: row for row in open_alerts(c) if row.type not in unsure}
    if not causes and not known:
        return
    with transaction(durable=False) as tx:
        for key in sorted(causes):
            if row := known.get(key):
                _see(tx, row, causes[key], now)
                _wake(tx, row, causes[key], now)
            else:
                _open(tx, causes[key], now)
        for key in sorted(known.keys() - causes.keys()):
            if now - known[key].last_seen_at >= CLEAR_MS:
                _close(tx, known[key], now)


def note(tx: Tx, alert_id: int, kind: str, now: int, text: str = "", by: str = "") -> None:
    """Add to an alert's history."""
    row = {"alert_id": alert_id, "at": now, "kind": kind, "text": text[:500], "by": by[:120]}
    tx.connection.execute(insert(AlertEntry).values(**row))


def _open(tx: Tx, cause: Alert, now: int) -> None:
    values = {
        "active_key": cause.key, "type": cause.type, "subject": cause.subject,
        "level": cause.level, "worst": cause.level, "message": cause.message[:500],
        "value": cause.value, "threshold": cause.threshold, "opened_at": now, "last_seen_at": now,
    }  # fmt: skip
    try:
        with tx.connection.begin_nested():
            made = tx.connection.execute(insert(AlertRow).values(**values)).inserted_primary_key
    except IntegrityError:
        # The other scheduler saw it first.
        return
    alert_id = int(made[0]) if made else 0
    note(tx, alert_id, f"opened_{cause.level}", now, cause.message)
    tx.tell(AlertRaised(alert_id, cause.type, cause.subject, cause.level, cause.message))


def _see(tx: Tx, row: AnyRow, cause: Alert, now: int) -> None:
    """Still there; what it says now, and whether it got better or worse."""
    values = {
        "message": cause.message[:500], "value": cause.value, "threshold": cause.threshold,
        "last_seen_at": now,
    }  # fmt: skip
    same = (AlertRow.id == row.id, AlertRow.active_key == row.active_key)
    if cause.level == row.level:
        tx.connection.execute(update(AlertRow).where(*same).values(**values))
        return
    values["level"] = cause.level
    if cause.level == CRITICAL:
        # Whoever put a warning to sleep has not seen this yet.
        values |= {"worst": CRITICAL, "snoozed_until": None}
    moved = update(AlertRow).where(*same, AlertRow.level == row.level).values(**values)
    if tx.connection.execute(moved).rowcount:
        note(tx, row.id, f"moved_{cause.level}", now, cause.message)
        tx.tell(AlertMoved(row.id, row.type, row.subject, cause.level, cause.message))


def _wake(tx: Tx, row: AnyRow, cause: Alert, now: int) -> None:
    """Its sleep is over and it is still there; said once, by whoever ends the sleep."""
    if row.snoozed_until is None or row.snoozed_until > now:
        return
    same = (AlertRow.id == row.id, AlertRow.snoozed_until == row.snoozed_until)
    if tx.connection.execute(update(AlertRow).where(*same).values(snoozed_until=None)).rowcount:
        note(tx, row.id, "awake", now, cause.message)
        tx.tell(AlertAwake(row.id, row.type, row.subject, cause.message))


def _close(tx: Tx, row: AnyRow, now: int) -> None:
    """Its cause is gone; not closed if somebody saw it again since we looked."""
    still = select(AlertRow.last_seen_at).where(AlertRow.id == row.id)
    if tx.connection.execute(still).scalar_one_or_none() != row.last_seen_at:
        return
    gone = update(AlertRow).where(AlertRow.id == row.id, AlertRow.active_key == row.active_key)
    if tx.connection.execute(gone.values(active_key=None, closed_at=now)).rowcount:
        note(tx, row.id, "closed", now)
        tx.tell(AlertClosed(row.id, row.type, row.subject))
