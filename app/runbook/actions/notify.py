"""Tell a level by e-mail that an incident is theirs, and note whether the e-mail arrived."""

from __future__ import annotations

from flask import current_app
from sqlalchemy import insert, select, update

from app import queues
from app.config import Settings
from app.db import Tx, reading, transaction
from app.deliveries.actions.add import New, add
from app.deliveries.models import EMAIL, FAILED, SENT, Delivery
from app.errors import Conflict
from app.events.actions.intake import accept_within
from app.events.rules import new_event
from app.messages.rules.mail import Mail
from app.paging import AnyRow
from app.payloads import dump_json
from app.runbook.actions import timeline
from app.runbook.models.incidents import IncidentNotice
from app.runbook.queries.contacts import Reach, contacts
from app.runbook.rules.escalation import NAMES
from app.runbook.rules.incidents import SEVERITIES

EVENT_TYPE, SOURCE = "incident.escalated", "hub"
AT_ONCE = 100


def call_level(tx: Tx, incident: AnyRow, level: int, why: str, now: int) -> None:
    """Write the e-mail to the level's contact, or why there is none."""
    settings: Settings = current_app.extensions["settings"]
    reach = contacts(tx.connection)[level]
    who = f"{reach.name} ({reach.email})"
    if not settings.smtp_host:
        text = f"{who}: o servidor de e-mail não está configurado. O console avisa o nível."
        timeline.add(tx, incident.id, "not_notified", now, text)
        return
    delivery_id = _write(tx, incident, reach, why, now)
    timeline.add(tx, incident.id, "notified", now, f"E-mail para {who}")
    row = {"incident_id": incident.id, "delivery_id": delivery_id, "address": reach.email}
    tx.connection.execute(insert(IncidentNotice).values(**row))


def _write(tx: Tx, incident: AnyRow, reach: Reach, why: str, now: int) -> int:
    """The e-mail as a delivery; its id. The event tells no more than that it was sent."""
    payload = {"incident_id": incident.id, "level": reach.level}
    event = new_event(EVENT_TYPE, SOURCE, payload, raw=dump_json(payload), via="runbook")
    accepted = accept_within(tx, [event])[0]
    if isinstance(accepted, Conflict):
        raise accepted
    body = _mail(incident, reach, why).as_body()
    new = New(accepted.id, EVENT_TYPE, EMAIL, EMAIL, queues.NOTIFICATIONS, body)
    return add(tx, new, now) or 0


def _mail(incident: AnyRow, reach: Reach, why: str) -> Mail:
    settings: Settings = current_app.extensions["settings"]
    severity = SEVERITIES[incident.severity].lower()
    lines = [
        f"O incidente {incident.id} foi escalonado para {NAMES[reach.level]}.",
        f"{incident.title} (gravidade {severity})",
        why,
        f"Abra e assuma: {settings.public_url.rstrip('/')}/incidentes/{incident.id}",
    ]
    subject = f"Incidente {incident.id} ({severity}): {incident.title}"[:150]
    return Mail(reach.email, " ".join(subject.split()), "\n\n".join(lines) + "\n")


def settle(now: int) -> None:
    """Say in the timeline which e-mails arrived and which were given up, each once."""
    ended = (SENT, FAILED)
    query = (
        select(IncidentNotice.__table__, Delivery.status, Delivery.last_error)
        .outerjoin(Delivery, Delivery.id == IncidentNotice.delivery_id)
        .where(
            IncidentNotice.settled_at.is_(None),
            Delivery.status.in_(ended) | Delivery.id.is_(None),
        )
        .order_by(IncidentNotice.id)
        .limit(AT_ONCE)
    )
    with reading() as c:
        rows = c.execute(query).all()
    for row in rows:
        with transaction() as tx:
            _settle(tx, row, now)


def _settle(tx: Tx, row: AnyRow, now: int) -> None:
    arrived = row.status == SENT
    mine = update(IncidentNotice).where(
        IncidentNotice.id == row.id, IncidentNotice.settled_at.is_(None)
    )
    if tx.connection.execute(mine.values(settled_at=now, arrived=arrived)).rowcount:
        text = row.address if arrived else f"{row.address}: {row.last_error or 'sem resposta'}"
        kind = "notice_arrived" if arrived else "notice_failed"
        timeline.add(tx, row.incident_id, kind, now, text)
