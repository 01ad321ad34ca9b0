"""Retention: services that were rated so long ago that nobody will be asked about them."""

from __future__ import annotations

from sqlalchemy import delete as sql_delete
from sqlalchemy import select

from app import clock
from app.automations.models import RatedService
from app.db import transaction

KEEP_MS = 90 * clock.DAY
AT_ONCE = 500


def cleanup_ratings(now: int) -> int:
    """Delete them in small batches; how many. Steps go with their events."""
    gone = 0
    while True:
        with transaction(durable=False) as tx:
            old = select(RatedService.service_id).where(RatedService.at < now - KEEP_MS)
            ids = list(tx.connection.scalars(old.limit(AT_ONCE)))
            own = RatedService.service_id.in_(ids)
            tx.connection.execute(sql_delete(RatedService).where(own))
        gone += len(ids)
        if len(ids) < AT_ONCE:
            return gone
