"""The doors of the clock: fold counters, run the day's slots, clean up."""

from __future__ import annotations

import logging

from flask import current_app

from app import clock, counters, heartbeats, pipeline, queues, slots
from app.access.actions import audit, logins
from app.access.actor import SYSTEM
from app.db import reading, transaction
from app.deliveries.actions.cleanup import cleanup_dead_letters, cleanup_given_up
from app.events.actions.cleanup import cleanup_events
from app.monitoring.actions.alerts import cleanup_alerts
from app.monitoring.actions.samples import forget_samples, is_sampled, store_sample
from app.monitoring.actions.scale import end_due_orders, write_scale
from app.monitoring.actions.watch import watch as store_alerts
from app.monitoring.queries.snapshot import take_snapshot
from app.monitoring.rules.alerts import alerts
from app.monitoring.rules.measures import sampled
from app.syncs.actions.cleanup import cleanup_runs

# Types of alerts about processes of the hub, and when this one began (ms).
PROCESSES = ("scheduler", "worker")
_STARTED = clock.now()

log = logging.getLogger(__name__)


def fold() -> None:
    """Fold what was tallied since the last time."""
    while True:
        with transaction(durable=False) as tx:
            if counters.fold(tx) < counters.FOLD_AT_ONCE:
                return


def watch() -> None:
    """Look at the hub and keep one open alert per cause."""
    now = clock.now()
    # Until all have had time to say that they live, silence means nothing.
    unsure = PROCESSES if now - _STARTED < heartbeats.ALIVE_MS else ()
    store_alerts(alerts(take_snapshot(now)), now, unsure)


def stand_in() -> None:
    """Watch and fold in the scheduler's place while it is not heard of (that is an alert, too)."""
    with reading() as c:
        kinds = {process.kind for process in heartbeats.alive(c, clock.now())}
    if "scheduler" not in kinds:
        fold()
        watch()


def sample() -> None:
    """Keep the minute's values, once."""
    now = clock.now()
    at = now - now % clock.MINUTE
    if not is_sampled(at):
        store_sample(sampled(take_snapshot(now)), at)


def scale() -> None:
    """End orders of workers whose time is over, and tell the supervisor."""
    end_due_orders(clock.now())
    write_scale(current_app.extensions["settings"].data_dir)


def minute(queue: str) -> None:
    """Run the slots whose time has come; each runs once, whoever else looks.

    One that fails, or dies with its worker, is begun again by a later minute.
    """
    queues.answered(queues.client(), queue)
    settings, now = current_app.extensions["settings"], clock.now()
    for slot in pipeline.SLOTS:
        at = slot.schedule.latest(now, settings.zone)
        if now - at > slot.schedule.late_ms or not slots.take(slot.name, at, now):
            continue
        try:
            pipeline.resolve(slot.function)()
            slots.done(slot.name, at, clock.now())
        except Exception:
            # One job's failure must not keep the others of the minute from running.
            log.exception("slot %s failed", slot.name)


def cleanup() -> None:
    """Delete what is older than it is kept, in small batches."""
    settings, now = current_app.extensions["settings"], clock.now()
    told = {
        "events": cleanup_events(now - settings.event_retention_days * clock.DAY),
        "letters": cleanup_dead_letters(now - settings.dlq_retention_days * clock.DAY),
    }
    cleanup_given_up(now - settings.dlq_retention_days * clock.DAY)
    cleanup_runs(now - settings.event_retention_days * clock.DAY)
    audit.remove_before(now - settings.audit_retention_days * clock.DAY)
    cleanup_alerts(now - settings.audit_retention_days * clock.DAY)
    logins.remove_stale()
    with transaction() as tx:
        audit.record(tx, SYSTEM, "cleanup.run", "old data", None, None, told)


def forget() -> None:
    """Drop counters and slots that nobody reads any more."""
    now = clock.now()
    with transaction(durable=False) as tx:
        counters.forget(tx, now)
    slots.forget(now)
    forget_samples(now)
