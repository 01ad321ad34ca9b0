"""Retention: ticks of messages that no delivery of ours belongs to."""

from __future__ import annotations

from sqlalchemy import delete as sql_delete
from sqlalchemy import select

from app import clock
from app.db import transaction
from app.messages.models import WhatsAppMessage

# Somebody wrote from the phone itself: only the ticks of such messages reach us.
KEEP_MS = 2 * clock.DAY
AT_ONCE = 500


def cleanup_ticks(now: int) -> int:
    """Delete them in small batches; how many. What the hub sent goes with its event."""
    strange = (WhatsAppMessage.delivery_id.is_(None), WhatsAppMessage.created_at < now - KEEP_MS)
    gone = 0
    while True:
        with transaction(durable=False) as tx:
            query = select(WhatsAppMessage.id).where(*strange).limit(AT_ONCE)
            ids = list(tx.connection.scalars(query))
            own = WhatsAppMessage.id.in_(ids)
            tx.connection.execute(sql_delete(WhatsAppMessage).where(own))
        gone += len(ids)
        if len(ids) < AT_ONCE:
            return gone
