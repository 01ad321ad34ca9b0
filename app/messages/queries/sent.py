"""Reads of the messages that were sent."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from app.messages.models import WhatsAppMessage


def counts(c: Connection, since: int) -> dict[str, int]:
    """How many of our messages since `since` (ms) came how far."""
    table = WhatsAppMessage
    query = select(
        func.count(table.id), func.count(table.received_at), func.count(table.read_at),
        func.count(table.failed_at),
    ).where(table.created_at >= since, table.delivery_id.is_not(None))  # fmt: skip
    sent, received, read, failed = c.execute(query).one()
    return {"enviada": sent, "recebida": received, "lida": read, "falhou": failed}
