"""Tell the channels of an alert, as deliveries of the one mechanism hung on an event of the hub."""

from __future__ import annotations

from collections.abc import Sequence

from flask import current_app
from sqlalchemy import insert, select

from app import clock, queues
from app.config import Settings
from app.db import Tx
from app.deliveries.actions.add import New, add
from app.events.actions.intake import accept_within
from app.events.rules.event import new_event
from app.facts import (
    AcceptedEvent,
    AlertAwake,
    AlertClosed,
    AlertMoved,
    AlertRaised,
    EventsAccepted,
)
from app.messages.rules.mail import Mail
from app.monitoring.models import AlertChannel, AlertNotice, AlertRow
from app.monitoring.rules import notices as rules
from app.monitoring.rules.bands import CRITICAL
from app.paging import AnyRow
from app.payloads import dump_json

SOURCE, TYPE = "hub", "alert.notice"


def raised(tx: Tx, fact: AlertRaised) -> None:
    """Follower: a new alert."""
    _tell(tx, fact.id, rules.RAISED, _channels(tx))


def moved(tx: Tx, fact: AlertMoved) -> None:
    """Follower: only getting worse is worth a message."""
    if fact.level == CRITICAL:
        _tell(tx, fact.id, rules.WORSE, _channels(tx))


def awake(tx: Tx, fact: AlertAwake) -> None:
    """Follower: it slept, and it is still there."""
    _tell(tx, fact.id, rules.STILL, _channels(tx))


def closed(tx: Tx, fact: AlertClosed) -> None:
    """Follower: the end is told to whoever heard of the beginning."""
    query = select(AlertNotice.channel_id).where(AlertNotice.alert_id == fact.id).distinct()
    heard = set(tx.connection.execute(query).scalars())
    _tell(tx, fact.id, rules.CLOSED, [row for row in _channels(tx) if row.id in heard])


def _channels(tx: Tx) -> Sequence[AnyRow]:
    query = select(AlertChannel.__table__).where(AlertChannel.removed_at.is_(None))
    return tx.connection.execute(query.order_by(AlertChannel.id)).all()


def _tell(tx: Tx, alert_id: int, what: str, channels: Sequence[AnyRow]) -> None:
    """An event of the hub; its deliveries are added while it is taken in (see `deliver`)."""
    query = select(AlertRow.__table__).where(AlertRow.id == alert_id)
    alert = tx.connection.execute(query).one()
    if alert.snoozed_until and alert.snoozed_until > clock.now():
        return
    ids = [row.id for row in channels if rules.wanted(row.level, what, alert.level)]
    if not ids:
        return
    payload = {
        "alert_id": alert_id, "what": what, "level": alert.level, "type": alert.type,
        "subject": alert.subject, "message": alert.message, "channels": ids,
        "opened_at": clock.iso(alert.opened_at),
    }  # fmt: skip
    event = new_event(TYPE, SOURCE, payload, raw=dump_json(payload), via="hub")
    accept_within(tx, [event])


def deliver(tx: Tx, fact: EventsAccepted) -> None:
    """Follower of EventsAccepted: the deliveries of the hub's own notices."""
    for event in fact.events:
        if event.event_type != TYPE or event.source_system != SOURCE:
            continue
        known = {row.id: row for row in _channels(tx)}
        for channel_id in event.payload["channels"]:
            if channel := known.get(channel_id):
                _deliver(tx, event, channel)


def _deliver(tx: Tx, event: AcceptedEvent, channel: AnyRow) -> None:
    now, said = clock.now(), event.payload
    new = _new(event, channel)
    delivery_id = add(tx, new, now) if new else None
    row = {"alert_id": said["alert_id"], "channel_id": channel.id, "what": said["what"]}
    tx.connection.execute(insert(AlertNotice).values(**row, at=now, delivery_id=delivery_id))


def _new(event: AcceptedEvent, channel: AnyRow) -> New | None:
    """The delivery; none where no mail server is set, which is told instead of failing."""
    settings: Settings = current_app.extensions["settings"]
    said = event.payload
    link = f"{settings.public_url.rstrip('/')}/alerts/{said['alert_id']}"
    if channel.kind == rules.EMAIL:
        if not settings.smtp_host:
            return None
        title = rules.subject(said["what"], said["level"], said["message"])
        mail = Mail(channel.target, title, f"{said['message']}\n\n{link}\n")
        kind, body = rules.EMAIL, mail.as_body()
        return New(event.id, TYPE, kind, kind, queues.NOTIFICATIONS, body)
    shown = {name: value for name, value in said.items() if name != "channels"}
    notice = rules.Notice(channel.target, {**shown, "url": link})
    carrier = rules.CARRIER
    return New(event.id, TYPE, carrier, carrier, queues.NOTIFICATIONS, notice.as_body())
