"""The clock's process: short ticks run here, wall-clock work is queued through rq-scheduler.

A Redis or database that is away costs a log line; the next tick tries again.
"""

from __future__ import annotations

import logging
import signal
import threading
from datetime import datetime
from typing import Any

import redis
from flask import Flask
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer
from rq_scheduler import Scheduler

from app import clock, pipeline, queues
from app.heartbeats import beat

INTERVAL = 60  # seconds between two looks for slots whose time has come
TICK_SECONDS = 0.05
TIMER_SECONDS = 1.0
REGISTER_SECONDS = 10.0
# A Redis that did not answer is left alone for so long: a black hole would hold up the other ticks.
AWAY_SECONDS = 2.0

log = logging.getLogger(__name__)


class JsonJob(Job):
    """rq-scheduler knows no serializer and would write pickles, which our workers refuse."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "serializer": JSONSerializer})


class Timer:
    """rq-scheduler as a timer: it rings the minute's job, whose work stands in the database."""

    def __init__(self, url: str) -> None:
        connection = queues.connect(url, timeout=0.5)
        queue = Queue(queues.LOW, connection=connection, serializer=JSONSerializer)
        self._scheduler = Scheduler(
            queue=queue, connection=connection, interval=1, job_class=JsonJob
        )
        self._registered = -REGISTER_SECONDS
        self._away_until = 0.0

    def tick(self) -> None:
        """Queue what is due; register again now and then, since Redis may have been wiped."""
        now = clock.monotonic()
        if now < self._away_until:
            return
        try:
            if now - self._registered >= REGISTER_SECONDS:
                self._register()
                self._registered = now
            # Not `enqueue_jobs`: that asks the wall clock of this one process.
            for job in self._scheduler.get_jobs(until=_utc(clock.now())):
                self._scheduler.enqueue_job(job)
        except redis.RedisError:
            self._away_until = clock.monotonic() + AWAY_SECONDS
            raise

    def _register(self) -> None:
        """Schedule the minute, unless it is; one put far ahead by a clock since set back is not."""
        soon = _utc(clock.now() + 2 * INTERVAL * clock.SECOND)
        if any(job.id == pipeline.MINUTE_ID for job in self._scheduler.get_jobs(until=soon)):
            return
        self._scheduler.schedule(
            _utc(clock.now()),
            pipeline.MINUTE_JOB,
            args=[queues.LOW],
            interval=INTERVAL,
            # Shorter than the interval, and rq-scheduler would drop the schedule.
            result_ttl=600,
            id=pipeline.MINUTE_ID,
        )


def _utc(ms: int) -> datetime:
    """An instant as rq-scheduler wants it, in UTC without saying so."""
    return clock.to_datetime(ms).replace(tzinfo=None)


def run(app: Flask) -> None:
    """Tick until told to stop."""
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    timer = Timer(app.extensions["redis_url"])
    last: dict[str, float] = {}
    with app.app_context():
        while not stop.wait(TICK_SECONDS):
            for tick in pipeline.CLOCK:
                _when_due(last, tick.name, tick.every / 1000, pipeline.resolve(tick.function))
            _when_due(last, "timer", TIMER_SECONDS, timer.tick)
            _when_due(last, "heartbeat", 5.0, lambda: beat("scheduler", ""))


def _when_due(last: dict[str, float], name: str, every: float, function: Any) -> None:
    """Run a tick whose time has come (monotonic: a stepped clock skips nothing)."""
    now = clock.monotonic()
    if now - last.get(name, -every) < every:
        return
    last[name] = now
    try:
        function()
    except redis.RedisError as problem:
        log.warning("tick %s: Redis is away: %s", name, problem)
    except Exception:
        log.exception("tick %s failed", name)
