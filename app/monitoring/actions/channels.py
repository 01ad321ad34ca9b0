"""Add and remove channels that alerts are told on."""

from __future__ import annotations

from flask import current_app
from sqlalchemy import insert, select, update

from app.access.actions import audit
from app.access.actor import Actor
from app.access.rules.emails import normal_email
from app.config import Settings
from app.db import transaction
from app.errors import Invalid, NotFound
from app.monitoring.models import AlertChannel
from app.monitoring.rules.bands import CRITICAL, WARNING
from app.monitoring.rules.notices import EMAIL, KINDS
from app.systems.rules.addresses import check_url


def add_channel(kind: str, target: str, level: str, *, by: Actor, now: int) -> int:
    """Tell alerts of the level or worse to an address; the channel's id."""
    settings: Settings = current_app.extensions["settings"]
    if kind == EMAIL:
        target = normal_email(target)
        wrong = [] if target else ["is not an e-mail address"]
    else:
        target = target.strip()
        wrong = check_url(target, settings.allowed_networks)
        wrong += ["is longer than 500 characters"] if len(target) > 500 else []
    problems = {
        "kind": [] if kind in KINDS else [f"must be one of: {', '.join(KINDS)}"],
        "target": wrong,
        "level": [] if level in (WARNING, CRITICAL) else ["must be warning or critical"],
    }
    if found := {name: texts for name, texts in problems.items() if texts}:
        raise Invalid(details=found)
    values = {"kind": kind, "target": target, "level": level}
    row = {**values, "created_by": by.name[:120], "created_at": now}
    with transaction() as tx:
        made = tx.connection.execute(insert(AlertChannel).values(**row)).inserted_primary_key
        audit.record(tx, by, "channel.added", target, None, None, values)
    return int(made[0]) if made else 0


def remove_channel(channel_id: int, *, by: Actor, now: int) -> None:
    """Tell it nothing more; NotFound where it is gone already."""
    with transaction() as tx:
        there = (AlertChannel.id == channel_id, AlertChannel.removed_at.is_(None))
        row = tx.connection.execute(select(AlertChannel.__table__).where(*there)).one_or_none()
        if row is None:
            raise NotFound("Channel not found")
        tx.connection.execute(update(AlertChannel).where(*there).values(removed_at=now))
        before = {"kind": row.kind, "target": row.target, "level": row.level}
        audit.record(tx, by, "channel.removed", row.target, None, before, None)
