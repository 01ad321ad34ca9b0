"""A system as a whole: hold deliveries to it back, and how many may be under way."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update

from app.access.actions.audit import record
from app.access.actor import Actor
from app.db import transaction
from app.errors import NotFound
from app.systems.models import System
from app.systems.queries import snapshot


def update_system(
    name: str, changes: dict[str, Any], *, by: Actor, now: int, why: str | None = None
) -> None:
    """Set `paused` and `in_flight_limit` (None: the setting's); what is not named stays. NotFound.

    While a system is paused its deliveries wait, and no attempt is spent.
    """
    with transaction() as tx:
        columns = (System.paused, System.in_flight_limit)
        query = select(*columns).where(System.name == name).with_for_update()
        old = tx.connection.execute(query).one_or_none()
        if old is None:
            raise NotFound("System not found")
        after = {key: value for key, value in changes.items() if value != getattr(old, key)}
        if after:
            before = {key: getattr(old, key) for key in after}
            values = {**after, "updated_at": now}
            tx.connection.execute(update(System).where(System.name == name).values(**values))
            record(tx, by, "system.updated", f"system:{name}", why, before=before, after=after)
    snapshot.forget()
