"""The doors of the clock: fold counters, run the day's slots, clean up."""

from __future__ import annotations

import logging

from flask import current_app

from app import clock, counters, pipeline, queues, slots
from app.db import transaction
from app.deliveries.actions.cleanup import cleanup_dead_letters
from app.events.actions.cleanup import cleanup_events

log = logging.getLogger(__name__)


def fold() -> None:
    """Fold what was tallied since the last time."""
    while True:
        with transaction(durable=False) as tx:
            if counters.fold(tx) < counters.FOLD_AT_ONCE:
                return


def minute(queue: str) -> None:
    """Run the slots whose time has come; each runs once, whoever else looks."""
    queues.answered(queues.client(), queue)
    settings, now = current_app.extensions["settings"], clock.now()
    for slot in pipeline.SLOTS:
        at = slot.schedule.latest(now, settings.zone)
        if now - at > slot.schedule.late_ms or not slots.take(slot.name, at, now):
            continue
        try:
            pipeline.resolve(slot.function)()
        except Exception:
            # One job's failure must not keep the others of the minute from running.
            log.exception("slot %s failed", slot.name)


def cleanup() -> None:
    """Delete what is older than it is kept, in small batches."""
    settings, now = current_app.extensions["settings"], clock.now()
    cleanup_events(now - settings.event_retention_days * clock.DAY)
    cleanup_dead_letters(now - settings.dlq_retention_days * clock.DAY)


def forget() -> None:
    """Drop counters and slots that nobody reads any more."""
    now = clock.now()
    with transaction(durable=False) as tx:
        counters.forget(tx, now)
    slots.forget(now)
