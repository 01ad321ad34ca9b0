"""Retry one step alone: its dead letter is sent again, or it is prepared anew."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update

from app.access.actions import audit
from app.access.actor import Actor
from app.automations.actions.follow import advance_event
from app.automations.models import FAILED, WAITING, AutomationStep
from app.db import transaction
from app.deliveries.actions.dead_letters import retry
from app.deliveries.models import OPEN, DeadLetter
from app.errors import Conflict, NotFound


def retry_step(event_id: int, name: str, *, by: Actor, why: str | None, now: int) -> None:
    """Only this step; those that are done stay done. NotFound, Conflict."""
    letter_id = _letter(event_id, name)
    if letter_id is not None:
        retry(letter_id, by=by, why=why, now=now)
        return
    with transaction() as tx:
        again = update(AutomationStep).where(
            AutomationStep.event_id == event_id,
            AutomationStep.step == name,
            AutomationStep.state == FAILED,
        )
        values: dict[str, Any] = {"state": WAITING, "note": "", "finished_at": None}
        if not tx.connection.execute(again.values(**values)).rowcount:
            raise Conflict("Este passo não espera por uma nova tentativa")
        advance_event(tx, event_id, now)
        audit.record(tx, by, "automation.step_retried", f"event:{event_id}/{name}", why)


def _letter(event_id: int, name: str) -> int | None:
    """The open dead letter of a failed step, None where it never left the hub. NotFound."""
    with transaction(durable=False) as tx:
        query = select(AutomationStep.state, AutomationStep.delivery_id).where(
            AutomationStep.event_id == event_id, AutomationStep.step == name
        )
        step = tx.connection.execute(query).one_or_none()
        if step is None:
            raise NotFound("Step not found")
        if step.state != FAILED:
            raise Conflict("Este passo não falhou")
        letter = select(DeadLetter.id).where(
            DeadLetter.delivery_id == step.delivery_id, DeadLetter.state == OPEN
        )
        found = tx.connection.scalar(letter) if step.delivery_id else None
        if step.delivery_id and found is None:
            raise Conflict("A mensagem com erro deste passo já foi tratada")
    return found
