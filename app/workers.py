"""An RQ worker that keeps one warm application and runs nothing but our own jobs."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from types import FrameType
from typing import Any

import redis
from flask import Flask
from rq import Queue, SimpleWorker
from rq.exceptions import DeserializationError
from rq.job import Job
from rq.serializers import JSONSerializer

from app import pipeline, queues
from app.heartbeats import beat

# RQ waits on its queue for a little less; a Redis that is a black hole is noticed after it.
WORKER_TTL = 30
BEAT_SECONDS = 5.0
RETRY_SECONDS = 0.5

log = logging.getLogger(__name__)


class RedisAway(redis.RedisError):
    """Redis does not answer; unlike a ConnectionError RQ does not sit and wait for it."""


class HubQueue(Queue):
    """A queue whose worker is told when Redis goes away, so that it can work without it."""

    @classmethod
    def dequeue_any(cls, *args: Any, **kwargs: Any) -> Any:
        """Wait for the next job."""
        try:
            return super().dequeue_any(*args, **kwargs)
        except (redis.ConnectionError, redis.TimeoutError) as problem:
            raise RedisAway(str(problem)) from None


class HubWorker(SimpleWorker):
    """Runs jobs in its own process, and only those of the map (`pipeline.allowed_jobs`)."""

    queue_class = HubQueue
    # Set by `_work_on`: whether requests are in flight, and the work that reads their answers.
    is_busy: Callable[[], bool]
    work_on: Callable[[], bool]

    def dequeue_job_and_maintain_ttl(self, *args: Any, **kwargs: Any) -> Any:
        """Never wait for a bell while requests are in flight: nobody else reads their answers."""
        while self.is_busy() and not _stop.is_set() and not self.queues[0].count:
            self.work_on()
            self.heartbeat()
        return super().dequeue_job_and_maintain_ttl(*args, **kwargs)

    def heartbeat(self, *args: Any, **kwargs: Any) -> None:
        """Tell Redis that this worker lives."""
        try:
            super().heartbeat(*args, **kwargs)
        except (redis.ConnectionError, redis.TimeoutError) as problem:
            raise RedisAway(str(problem)) from None

    def perform_job(self, job: Job, queue: Queue, execution: Any) -> bool:
        """Refuse a job that is not ours before its function is even imported."""
        name = _name_of(job)
        if name not in pipeline.allowed_jobs():
            log.error("refused a job that is not one of ours: %.80s", name)
            self.handle_job_failure(job, queue, exc_string="not one of ours", execution=execution)
            return False
        done: bool = super().perform_job(job, queue, execution)
        return done

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """Finish what is in flight, claim nothing more."""
        _asked_to_stop(signum, frame)
        # RQ writes the request down; a Redis that is away must not tear the drain apart.
        with suppress(redis.RedisError):
            super().request_stop(signum, frame)  # type: ignore[no-untyped-call]


def _name_of(job: Job) -> str:
    """The function a job names; '' where it is not even our kind of data (a pickle, say)."""
    try:
        return str(job.func_name)
    except DeserializationError:
        return ""


# Called when the process is asked to stop (the engine stops claiming).
STOPPED: list[Any] = []
_stop = threading.Event()


def _asked_to_stop(_signal: int, _frame: FrameType | None) -> None:
    """The signal's answer outside RQ's loop, and the first half of it inside."""
    _stop.set()
    for stopped in STOPPED:
        stopped()


def _listen() -> None:
    """Take the signals back from an RQ worker that has ended."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _asked_to_stop)


def serve(app: Flask, queue: str) -> None:
    """Work on one queue until told to stop; outlives every outage of Redis.

    While Redis is away nobody can ring, so the queue is looked after without a bell.
    """
    work = pipeline.resolve(pipeline.WORK)
    threading.Thread(target=_beat, args=(app, queue), name="heartbeat", daemon=True).start()
    with app.app_context():
        engine = pipeline.resolve(pipeline.ENGINE)()
        STOPPED.append(engine.stop)
        _listen()
        try:
            while not _stop.is_set():
                try:
                    _work_on(app, queue, engine)
                except redis.RedisError as problem:
                    _listen()
                    log.warning("Redis is away, working without the bell: %s", problem)
                    if not work(queue):
                        _stop.wait(RETRY_SECONDS)
        finally:
            engine.finish()


def _work_on(app: Flask, queue: str, engine: Any) -> None:
    """RQ's own loop on exactly one queue (its crash-safe pop holds for one only)."""
    connection = queues.connect(app.extensions["redis_url"])
    worker = HubWorker(
        [HubQueue(queue, connection=connection, serializer=JSONSerializer)],
        connection=connection,
        serializer=JSONSerializer,
        worker_ttl=WORKER_TTL,
    )
    worker.is_busy = lambda: bool(engine.busy)
    worker.work_on = partial(pipeline.resolve(pipeline.WORK), queue)
    worker.work(logging_level="WARNING")


def _beat(app: Flask, queue: str) -> None:
    """Write the heartbeat from a thread of its own: a long drain is alive too."""
    while not _stop.is_set():
        with app.app_context():
            try:
                beat(f"worker:{queue}", "")
                pipeline.resolve(pipeline.STAND_IN)()
            except Exception:
                log.exception("heartbeat not written")
        _stop.wait(BEAT_SECONDS)
