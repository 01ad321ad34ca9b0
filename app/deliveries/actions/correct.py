"""Correct: send a dead letter again with another body; the original is kept."""

from __future__ import annotations

from sqlalchemy import insert, update

from app.access.actions import audit
from app.access.actor import Actor
from app.db import transaction
from app.deliveries.actions.revive import retry_dead_letters
from app.deliveries.models import OPEN, WEBHOOK, Delivery, FormerBody
from app.deliveries.queries.dead_letters import find_dead_letter
from app.deliveries.queries.rehearsal import rehearse
from app.errors import Conflict, Invalid
from app.payloads import dump_json, parse_json

DEEPEST = 32


def correct(letter_id: int, text: str, *, by: Actor, why: str, now: int) -> int:
    """Retry with the JSON object typed by a person; its event's id. NotFound, Conflict, Invalid."""
    value = parse_json(text.encode(), DEEPEST)
    if not isinstance(value, dict):
        raise Invalid(details={"payload": ["must be a JSON object"]})
    return _send_instead(letter_id, dump_json(value), None, "dlq.corrected", by, why, now)


def remap(letter_id: int, *, by: Actor, why: str, now: int) -> int:
    """Retry with what the mapping in force makes of the event; its event's id."""
    with transaction() as tx:
        found = rehearse(tx.connection, letter_id, now)
    if found.problem:
        raise Conflict(f"O mapeamento de hoje não serve: {found.problem}")
    return _send_instead(letter_id, found.today, found.version, "dlq.remapped", by, why, now)


def _send_instead(
    letter_id: int, body: bytes, version: str | None, action: str, by: Actor, why: str, now: int
) -> int:
    if not why.strip():
        raise Invalid(details={"why": ["must not be empty"]})
    with transaction() as tx:
        row = find_dead_letter(tx.connection, letter_id)
        if row.kind != WEBHOOK or row.state != OPEN:
            raise Conflict("Só o conteúdo de mensagens abertas para sistemas pode ser corrigido")
        moved = retry_dead_letters(tx, [letter_id], by.name, now, why)
        if letter_id not in moved.done:
            raise Conflict(f"A mensagem não pode ser enviada: {moved.skipped.get(letter_id, '')}")
        former = {
            "delivery_id": row.delivery_id, "at": now, "by": by.name[:120], "why": why[:500],
            "mapping_version": row.mapping_version, "body": row.body,
        }  # fmt: skip
        tx.connection.execute(insert(FormerBody).values(former))
        values = {"body": body} | ({"mapping_version": version} if version is not None else {})
        # After the retry, which may have mapped the event anew.
        own = update(Delivery).where(Delivery.id == row.delivery_id)
        tx.connection.execute(own.values(values))
        audit.record(tx, by, action, f"dead_letter:{letter_id}", why)
    return int(row.event_id)
