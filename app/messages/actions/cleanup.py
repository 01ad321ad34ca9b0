"""Retention: ticks of messages that no delivery of ours belongs to."""

from __future__ import annotations

from sqlalchemy import delete as sql_delete

from app import clock
from app.db import transaction
from app.messages.models import WhatsAppMessage

# Somebody wrote from the phone itself: only the ticks of such messages reach us.
KEEP_MS = 2 * clock.DAY


def cleanup_ticks(now: int) -> int:
    """Delete them; how many. What was sent by the hub goes with its event."""
    with transaction(durable=False) as tx:
        strange = (
            WhatsAppMessage.delivery_id.is_(None),
            WhatsAppMessage.created_at < now - KEEP_MS,
        )
        return tx.connection.execute(sql_delete(WhatsAppMessage).where(*strange)).rowcount
