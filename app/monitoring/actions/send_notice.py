"""The sender of webhook notices: a JSON POST whose address is checked when connecting."""

from __future__ import annotations

from app.deliveries.actions.claim import Claimed
from app.deliveries.rules.message import message_id
from app.monitoring.rules.notices import Notice
from app.payloads import dump_json
from app.systems.calls import Call, client
from app.systems.rules.answer import Answer


def send(row: Claimed) -> Answer:
    """Send one notice; every failure is an Answer."""
    notice = Notice.read(row.body)
    known_by = message_id(row.id, row.created_at)
    headers = {
        "Content-Type": "application/json",
        "Idempotency-Key": known_by,
        "X-Request-ID": known_by,
        "X-Source-System": "integracoes",
    }
    return client().send(Call("POST", notice.url, headers, dump_json(notice.body)))
