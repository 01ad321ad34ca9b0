"""The doors of the workers and of the clock: drain a queue, ring what is due, repair."""

from __future__ import annotations

import logging

from flask import current_app
from rq import get_current_job

from app import clock, pipeline, queues
from app.db import reading
from app.deliveries.actions import bulk as bulks
from app.deliveries.actions import repair as repairs
from app.deliveries.actions.plan import plan_pending
from app.deliveries.jobs.bulk import DRAIN_SECONDS, work_on_bulks
from app.deliveries.jobs.engine import engine
from app.deliveries.jobs.limits import limits
from app.deliveries.queries.due import queues_with_work

log = logging.getLogger(__name__)

__all__ = ["drain", "free_lost", "repair", "ring_due", "work"]


def drain(queue: str) -> None:
    """The job behind every bell: send what is due on the queue, ring again if more is."""
    # Once more: RQ keeps a job it has begun.
    queues.answered(queues.client(), queue, get_current_job())
    if work(queue):
        queues.ring(queue)


def work(queue: str) -> bool:
    """Do what there is to do on a queue for a few seconds; whether there is more."""
    more, short = _before(queue)
    if short:
        engine().drain(queue, DRAIN_SECONDS)
        return True
    return engine().drain(queue) or more


def _before(queue: str) -> tuple[bool, bool]:
    """What comes before the sending: whether there is more of it, and whether to send shortly.

    A failure keeps nobody from sending, nor from reading the answers to what was sent.
    """
    try:
        more = queue == queues.DEFAULT and plan_pending() > 0
        first = pipeline.FIRST.get(queue)
        short = bool(first and pipeline.resolve(first)())
        return more, short or (queue == queues.RETRY and work_on_bulks())
    except Exception:
        log.exception("what comes before the sending failed")
        return False, False


def ring_due() -> None:
    """Ring the queues whose deliveries have come due (the clock's part of every retry)."""
    settings = current_app.extensions["settings"]
    lease_ms = round(settings.delivery_lease * 1000)
    with reading() as c:
        due = queues_with_work(c, limits(settings), lease_ms, clock.now())
    for queue in due:
        queues.ring(queue)


def free_lost() -> None:
    """Free what dead workers hold; looked at by workers too, as the clock may die with them."""
    now = clock.now()
    if _leases_can_be_told() and repairs.has_expired(now):
        repairs.free_expired(now)


def _leases_can_be_told() -> bool:
    """Whether the leases that go on were written by the clock that we go by.

    After a step some processes believe it sooner than others, and what is in flight has an end that
    the clock before it told: it would be taken from living workers and sent again.
    """
    lease: float = current_app.extensions["settings"].delivery_lease
    return clock.is_settled(round(lease * 1000) + clock.BELIEVED_AFTER)


def repair() -> None:
    """Free what dead workers and stepped clocks hold; ring for unplanned events and for bulks."""
    free_lost()
    repairs.free_from_the_future(clock.now(), leased=_leases_can_be_told())
    if repairs.has_unplanned():
        queues.ring(queues.DEFAULT)
    if bulks.has_work():
        queues.ring(queues.RETRY)
