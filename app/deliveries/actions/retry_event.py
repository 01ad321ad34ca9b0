"""Retry of an event: only the systems that have not accepted it, and those at once."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import func, select, update

from app.access.actions import audit
from app.access.actor import Actor
from app.db import Tx, transaction
from app.deliveries.actions.revive import retry_dead_letters
from app.deliveries.models import ARCHIVED, OPEN, PENDING, DeadLetter, Delivery, is_now
from app.errors import NotFound
from app.events.models import Event
from app.facts import DeliveriesDue, EventsPending


class Retried(NamedTuple):
    """Deliveries revived, those hurried up, and reasons why others stay as they are."""

    revived: int
    hurried: int
    skipped: list[str]


def retry_event(event_id: int, *, by: Actor, why: str | None, now: int) -> Retried:
    """Send again what is dead and open, hurry what waits; what was accepted is never repeated."""
    with transaction() as tx:
        planned = tx.connection.scalar(select(Event.planned).where(Event.id == event_id))
        if planned is None:
            raise NotFound("Event not found")
        letters = select(DeadLetter.id).where(
            DeadLetter.event_id == event_id, DeadLetter.state == OPEN
        )
        # What waits is hurried first: revived deliveries are not counted twice.
        hurried = _hurry(tx, event_id, by.name, now) if planned else _plan_again(tx, event_id)
        moved = retry_dead_letters(tx, list(tx.connection.scalars(letters)), by.name, now, why)
        left = [*moved.skipped.values(), *_archived(tx, event_id)]
        done = Retried(len(moved.done), hurried, left)
        if done.revived or done.hurried:
            told = {"revived": done.revived, "hurried": done.hurried}
            audit.record(tx, by, "event.retried", f"event:{event_id}", why, None, told)
    return done


def _archived(tx: Tx, event_id: int) -> list[str]:
    """What a person put aside stays aside, and that is said."""
    query = select(func.count()).where(DeadLetter.event_id == event_id, is_now(ARCHIVED))
    n = tx.connection.execute(query.select_from(DeadLetter)).scalar_one()
    one = "1 mensagem arquivada ficou de fora; desarquive-a para reenviar"
    many = f"{n} mensagens arquivadas ficaram de fora; desarquive-as para reenviar"
    return [] if not n else [one if n == 1 else many]


def _hurry(tx: Tx, event_id: int, by: str, now: int) -> int:
    """Deliveries that wait for their time and are in nobody's hands become due now."""
    waiting = (
        Delivery.event_id == event_id, Delivery.status == PENDING, Delivery.lease.is_(None),
        Delivery.due_at > now,
    )  # fmt: skip
    names = set(tx.connection.scalars(select(Delivery.queue).where(*waiting).distinct()))
    if not names:
        return 0
    tx.tell(DeliveriesDue(frozenset(names)))
    changed = update(Delivery).where(*waiting).values(due_at=now, set_at=now, asked_by=by[:120])
    return tx.connection.execute(changed).rowcount


def _plan_again(tx: Tx, event_id: int) -> int:
    """An event whose planning failed too often is planned once more."""
    tx.connection.execute(update(Event).where(Event.id == event_id).values(plan_failures=0))
    tx.tell(EventsPending([event_id]))
    return 1
