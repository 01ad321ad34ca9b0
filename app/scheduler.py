"""The clock's process: short ticks run here, wall-clock work is queued through rq-scheduler.

A Redis or database that is away costs a log line; the next tick tries again.
"""

from __future__ import annotations

import logging
import signal
import threading
from typing import Any

import redis
from flask import Flask
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer
from rq_scheduler import Scheduler

from app import clock, pipeline, queues
from app.heartbeats import beat

TICK_SECONDS = 0.05
TIMER_SECONDS = 1.0
REGISTER_SECONDS = 30.0

log = logging.getLogger(__name__)


class JsonJob(Job):
    """rq-scheduler knows no serializer and would write pickles, which our workers refuse."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "serializer": JSONSerializer})


class Timer:
    """rq-scheduler as a timer: it rings the minute's job, whose work stands in the database."""

    def __init__(self, url: str) -> None:
        connection = queues.connect(url, timeout=2.0)
        queue = Queue(queues.LOW, connection=connection, serializer=JSONSerializer)
        self._scheduler = Scheduler(
            queue=queue, connection=connection, interval=1, job_class=JsonJob
        )
        self._registered = -REGISTER_SECONDS

    def tick(self) -> None:
        """Queue what is due; register again now and then, since Redis may have been wiped."""
        now = clock.monotonic()
        if now - self._registered >= REGISTER_SECONDS:
            self._register()
            self._registered = now
        self._scheduler.enqueue_jobs()

    def _register(self) -> None:
        if any(job.id == pipeline.MINUTE_ID for job in self._scheduler.get_jobs()):
            return
        self._scheduler.schedule(
            clock.to_datetime(clock.now()).replace(tzinfo=None),
            pipeline.MINUTE_JOB,
            args=[queues.LOW],
            interval=60,
            # Shorter than the interval, and rq-scheduler would drop the schedule.
            result_ttl=600,
            id=pipeline.MINUTE_ID,
        )


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
