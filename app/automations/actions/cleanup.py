"""Retention: services that were rated so long ago that nobody will be asked about them."""

from __future__ import annotations

from sqlalchemy import delete as sql_delete

from app import clock
from app.automations.models import RatedService
from app.db import transaction

KEEP_MS = 90 * clock.DAY


def cleanup_ratings(now: int) -> int:
    """Delete them; how many. Steps go with their events."""
    with transaction(durable=False) as tx:
        old = RatedService.at < now - KEEP_MS
        return tx.connection.execute(sql_delete(RatedService).where(old)).rowcount
