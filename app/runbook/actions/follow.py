"""What alerts and the audit trail say while an incident is open goes into its timeline."""

from __future__ import annotations

from sqlalchemy import or_, select, update

from app import clock
from app.access.models import AuditEntry
from app.access.rules.words import action_words
from app.db import Tx, reading, transaction
from app.facts import AlertAwake, AlertClosed, AlertMoved, AlertRaised
from app.paging import AnyRow
from app.runbook.actions import timeline
from app.runbook.models.incidents import Incident
from app.runbook.queries.incidents import unresolved
from app.runbook.rules import things
from app.runbook.rules.incidents import OUTAGES, RESOLVED

AT_ONCE = 200
# People's own affairs, looks that change nothing, and what the incident tells by itself.
SILENT = ("incident.", "personal_data.", "session.", "second_step.", "user.")


def alert_raised(tx: Tx, fact: AlertRaised) -> None:
    """Follower of AlertRaised: told to the incidents about it, which may be an outage again."""
    now = clock.now()
    for row in _about(tx, fact.type, fact.subject):
        timeline.add(tx, row.id, "alert_raised", now, fact.message)
        if row.alert_key and fact.type in OUTAGES and row.unavailable_since is None:
            _set_since(tx, row, now)
            timeline.add(tx, row.id, "unavailable", now)


def alert_moved(tx: Tx, fact: AlertMoved) -> None:
    """Follower of AlertMoved."""
    for row in _about(tx, fact.type, fact.subject):
        timeline.add(tx, row.id, "alert_moved", clock.now(), fact.message)


def alert_awake(tx: Tx, fact: AlertAwake) -> None:
    """Follower of AlertAwake."""
    for row in _about(tx, fact.type, fact.subject):
        timeline.add(tx, row.id, "alert_awake", clock.now(), fact.message)


def alert_closed(tx: Tx, fact: AlertClosed) -> None:
    """Follower of AlertClosed: what the incident was opened for is back."""
    now, key = clock.now(), f"{fact.type}:{fact.subject}"
    for row in _about(tx, fact.type, fact.subject):
        timeline.add(tx, row.id, "alert_closed", now, f"{fact.type} {fact.subject}".strip())
        if row.alert_key == key and row.unavailable_since is not None:
            _set_since(tx, row, None)
            timeline.add(tx, row.id, "available", now)


def _about(tx: Tx, kind: str, subject: str) -> list[AnyRow]:
    """Open incidents of this cause or this system."""
    same = [Incident.alert_key == f"{kind}:{subject}"]
    if subject:
        same.append(Incident.system == subject)
    query = select(Incident.id, Incident.alert_key, Incident.unavailable_since)
    found = query.where(Incident.state != RESOLVED, or_(*same)).order_by(Incident.id)
    return list(tx.connection.execute(found).all())


def _set_since(tx: Tx, row: AnyRow, since: int | None) -> None:
    change = update(Incident).where(Incident.id == row.id)
    tx.connection.execute(change.values(unavailable_since=since))


def tell_actions() -> None:
    """Copy what was done in the console since the last look, each thing once."""
    with reading() as c:
        rows = unresolved(c)
        if not rows:
            return
        first = min(row.audit_seen for row in rows)
        query = select(AuditEntry.__table__).where(AuditEntry.id > first)
        entries = c.execute(query.order_by(AuditEntry.id).limit(AT_ONCE)).all()
    for row in rows:
        if fresh := [entry for entry in entries if entry.id > row.audit_seen]:
            with transaction() as tx:
                _copy(tx, row, fresh)


def _copy(tx: Tx, row: AnyRow, entries: list[AnyRow]) -> None:
    mine = update(Incident).where(Incident.id == row.id, Incident.audit_seen == row.audit_seen)
    if not tx.connection.execute(mine.values(audit_seen=entries[-1].id)).rowcount:
        # The other scheduler was first.
        return
    for entry in entries:
        if not entry.action.startswith(SILENT):
            kind = "tick" if entry.action.startswith("checklist.") else "action"
            why = f": {entry.why}" if entry.why else ""
            words = action_words(entry.action)
            text = f"{words} – {things.said(entry.target, words)}{why}"
            url = things.page(entry.target)
            timeline.add(tx, row.id, kind, entry.at, text, entry.actor_name, url)
