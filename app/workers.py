"""An RQ worker that keeps one warm application and runs nothing but our own jobs."""

from __future__ import annotations

import gc
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
from rq.exceptions import DeserializationError, StopRequested
from rq.job import Job
from rq.serializers import JSONSerializer

from app import open_files, pipeline, queues
from app.heartbeats import beat

# How long one look at the queue waits for a bell, and after how long without any answer a Redis
# that took the question is a black hole (whole seconds, as RQ wants them).
LISTEN_SECONDS = 1
NOTICED_SECONDS = 2
# A ping that says whether it is worth asking.
PING_SECONDS = 0.3
WORKER_TTL = 30
BEAT_SECONDS = 5.0
# How often a worker looks for what dead ones hold, and how long after its start: by then a wrong
# clock of its own has been found out (see heartbeats).
LOOK_SECONDS = 0.5
KNOWN_SECONDS = 15.0
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
    # Set by `_work_on`: whether requests are in flight, the work that reads their answers, and
    # whether Redis is there.
    is_busy: Callable[[], bool]
    work_on: Callable[[], bool]
    is_heard: Callable[[], bool]
    _at_work = False

    @property
    def dequeue_timeout(self) -> int:
        """Seconds that Redis is asked to wait; a stepped clock of its own may make it longer."""
        return LISTEN_SECONDS

    @property
    def connection_timeout(self) -> int:
        """Seconds without an answer."""
        return NOTICED_SECONDS

    def subscribe(self) -> None:
        """Take no orders through Redis: the supervisor's signals are the only ones."""

    def teardown(self) -> None:
        """Sign off, unless Redis is away: RQ forgets a worker that is not heard of."""
        if self.is_heard():
            super().teardown()  # type: ignore[no-untyped-call]

    def dequeue_job_and_maintain_ttl(self, *args: Any, **kwargs: Any) -> Any:
        """Never wait for a bell while requests are in flight: nobody else reads their answers."""
        while self.is_busy() and not _stop.is_set() and not self.queues[0].count:
            self._work()
            self.heartbeat()
        if _stop.is_set():
            raise StopRequested
        found = super().dequeue_job_and_maintain_ttl(*args, **kwargs)
        if found is not None:
            self._hear(*found)
        return found

    def _hear(self, job: Job, queue: Queue) -> None:
        """The bell has rung: what is due leaves before RQ has done its books; the job looks again.

        That saves a message a millisecond.
        """
        if _name_of(job) != pipeline.JOBS.get(queue.name):
            return
        try:
            queues.answered(self.connection, queue.name, job)
            self._work()
        except redis.RedisError as problem:
            raise RedisAway(str(problem)) from None
        except StopRequested:
            raise
        except Exception:
            log.exception("the look before the job failed")

    def _work(self) -> None:
        """Work outside of a job."""
        self._at_work = True
        try:
            self.work_on()
        finally:
            self._at_work = False

    def heartbeat(self, *args: Any, **kwargs: Any) -> None:
        """Tell Redis that this worker lives."""
        try:
            super().heartbeat(*args, **kwargs)
        except (redis.ConnectionError, redis.TimeoutError) as problem:
            raise RedisAway(str(problem)) from None

    def perform_job(self, job: Job, queue: Queue, execution: Any) -> bool:
        """Refuse a job that is not ours before its function is even imported."""
        name = _name_of(job)
        if name not in pipeline.allowed_jobs() or _brings_callbacks(job):
            log.error("refused a job that is not one of ours: %.80s", name)
            _forget_callbacks(job)
            self.handle_job_failure(job, queue, exc_string="not one of ours", execution=execution)
            return False
        done: bool = super().perform_job(job, queue, execution)
        return done

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """Finish what is in flight, claim nothing more."""
        _asked_to_stop(signum, frame)
        # Outside of a job RQ takes itself for idle, and would tear the work apart.
        if self._at_work:
            return
        # RQ writes the request down; a Redis that is away must not tear the drain apart.
        with suppress(redis.RedisError):
            super().request_stop(signum, frame)  # type: ignore[no-untyped-call]


def _answers(url: str) -> bool:
    """Whether this Redis says anything within a moment."""
    with suppress(redis.RedisError), queues.connect(url, timeout=PING_SECONDS) as asking:
        return bool(asking.ping())
    return False


def _name_of(job: Job) -> str:
    """The function a job names; '' where it is not even our kind of data (a pickle, say)."""
    try:
        return str(job.func_name)
    except DeserializationError:
        return ""


CALLBACKS = ("_success_callback_name", "_failure_callback_name", "_stopped_callback_name")


def _brings_callbacks(job: Job) -> bool:
    """Whether RQ would call a function beside the job's own; ours never ask for one."""
    return any(getattr(job, name, None) for name in CALLBACKS)


def _forget_callbacks(job: Job) -> None:
    """Failing a job calls them too."""
    for name in CALLBACKS:
        setattr(job, name, None)


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
    open_files.raise_limit()
    threading.Thread(target=_beat, args=(app, queue), name="heartbeat", daemon=True).start()
    if queue != queues.HIGH:
        threading.Thread(target=_free_lost, args=(app,), name="free lost", daemon=True).start()
    with app.app_context():
        engine = pipeline.resolve(pipeline.ENGINE)()
        # What is here now stays for good: collections need not walk through it each time.
        gc.freeze()
        STOPPED.append(engine.stop)
        _listen()
        try:
            while not _stop.is_set():
                problem = _work_on(app, queue, engine)
                _listen()
                if not _stop.is_set():
                    log.warning("Redis is away, working without the bell: %s", problem)
                    _work_without_bell(app.extensions["redis_url"], queue)
        finally:
            engine.finish()


def _work_without_bell(url: str, queue: str) -> None:
    """Look after the queue until Redis answers; at least once, as its error may be another one."""
    work = pipeline.resolve(pipeline.WORK)
    while not _stop.is_set():
        if not work(queue):
            _stop.wait(RETRY_SECONDS)
        if _answers(url):
            return


def _work_on(app: Flask, queue: str, engine: Any) -> str:
    """RQ's own loop on exactly one queue (its crash-safe pop holds for one only); why it ended."""
    url = app.extensions["redis_url"]
    try:
        connection = queues.connect(url, timeout=NOTICED_SECONDS)
        worker = HubWorker(
            [HubQueue(queue, connection=connection, serializer=JSONSerializer)],
            connection=connection,
            serializer=JSONSerializer,
            worker_ttl=WORKER_TTL,
        )
        worker.is_busy = lambda: bool(engine.busy)
        worker.work_on = partial(pipeline.resolve(pipeline.WORK), queue)
        worker.is_heard = partial(_answers, url)
        worker.work(logging_level="WARNING")
    except redis.RedisError as problem:
        return str(problem)
    return "see the line before"


def _doing(app: Flask) -> str:
    """What the engine has in flight, for people; '' while it waits."""
    engine = app.extensions.get("engine")
    flying = dict(engine.flying) if engine is not None else {}
    return ", ".join(f"{system}: {n}" for system, n in sorted(flying.items()) if n)


def _beat(app: Flask, queue: str) -> None:
    """Write the heartbeat from a thread of its own: a long drain is alive too."""
    while not _stop.is_set():
        with app.app_context():
            try:
                beat(f"worker:{queue}", _doing(app))
                pipeline.resolve(pipeline.STAND_IN)()
            except Exception:
                log.exception("heartbeat not written")
        _stop.wait(BEAT_SECONDS)


def _free_lost(app: Flask) -> None:
    """Look after what dead workers hold, all the while."""
    free_lost, pause = pipeline.resolve(pipeline.FREE_LOST), KNOWN_SECONDS
    with app.app_context():
        while not _stop.wait(pause):
            pause = LOOK_SECONDS
            try:
                free_lost()
            except Exception:
                log.exception("what dead workers hold was not looked at")
