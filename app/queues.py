"""The doorbell: RQ carries "there is work on queue Q"; what the work is stands in the database."""

from __future__ import annotations

import atexit
import logging
import threading
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import redis
from flask import Flask, current_app
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer

from app import embedded_redis

HIGH = "integrations-high"
DEFAULT = "integrations"
NOTIFICATIONS = "notifications"
LOW = "integrations-low"
RETRY = "integrations-retry"
QUEUES = (HIGH, DEFAULT, NOTIFICATIONS, LOW, RETRY)
# Their workers also send what may be killing workers, one message at a time: two, so that the death
# of one holds up nobody.
CALM = (DEFAULT, RETRY)

# A bell that was rung but whose job got lost may be rung again after this long (ms).
BELL_MS = 1_000
# While all workers are busy bells go unanswered: no more of them wait than workers can use.
MOST_BELLS = 8
PAUSE_SECONDS = 0.002
JOB_SECONDS = 300
# How long Redis keeps a drain that has begun, longer than any takes: what it is for stands in the
# database. RQ itself would keep one whose worker was killed for minutes.
BEGUN_SECONDS = 30

log = logging.getLogger(__name__)


def connect(url: str, *, timeout: float = 5.0) -> redis.Redis:
    """A client with bounded waits, so that a Redis that is a black hole holds nobody long."""
    client: redis.Redis = redis.Redis.from_url(
        url,
        socket_timeout=timeout,
        socket_connect_timeout=min(timeout, 2.0),
        # The client's own retries would multiply the time a black hole holds us.
        retry=Retry(NoBackoff(), 0),
    )
    return client


def bell_key(queue: str) -> str:
    """Redis key that says "already rung and not yet answered"."""
    return f"hub:bell:{queue}"


def push(client: redis.Redis, queue: str, function: str) -> bool:
    """Queue one job for the bell unless one already waits; whether it did."""
    pipe = client.pipeline(transaction=False)
    pipe.llen(f"rq:queue:{queue}")
    pipe.set(bell_key(queue), 1, nx=True, px=BELL_MS)
    waiting, is_first = pipe.execute()
    if waiting >= MOST_BELLS or not (is_first or _is_stale(client, queue)):
        return False
    pipe = client.pipeline()
    _queue(client, queue).enqueue_call(
        function, args=(queue,), timeout=JOB_SECONDS, result_ttl=0, failure_ttl=BEGUN_SECONDS,
        pipeline=pipe,
    )  # fmt: skip
    pipe.execute()
    return True


@lru_cache(maxsize=32)
def _queue(client: redis.Redis, queue: str) -> Queue:
    """RQ's queue; kept, as each new one asks Redis for its version."""
    return Queue(queue, connection=client, serializer=JSONSerializer)


def _is_stale(client: redis.Redis, queue: str) -> bool:
    """Whether the mark was set before Redis's clock stepped back, and would stay for an hour."""
    if int(client.pttl(bell_key(queue))) <= BELL_MS:
        return False
    return bool(client.set(bell_key(queue), 1, px=BELL_MS))


def answered(client: redis.Redis, queue: str, job: Job | None = None) -> None:
    """The bell is heard: whoever rings from now on queues another job. Its `job` goes by itself
    should its worker die."""
    pipe = client.pipeline(transaction=False)
    pipe.delete(bell_key(queue))
    if job is not None:
        pipe.expire(job.key, BEGUN_SECONDS)
    pipe.execute()


class Bell:
    """Rings from a thread of its own, once per pause and queue however often it is asked to."""

    def __init__(self, url: str, jobs: dict[str, str]) -> None:
        self._jobs = jobs
        self._client = connect(url, timeout=1.0)
        self._asked: set[str] = set()
        self._changed = threading.Condition()
        self._busy = False
        self._pause = threading.Event()
        self._thread: threading.Thread | None = None

    def ring(self, queue: str) -> None:
        """Ask for a ring; returns at once and never fails."""
        with self._changed:
            self._asked.add(queue)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="bell", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def flush(self, timeout: float = 2.0) -> None:
        """Wait until everything asked for has been rung (a short-lived command needs that)."""
        with self._changed:
            self._changed.wait_for(lambda: not self._asked and not self._busy, timeout)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._asked))
                queues, self._asked, self._busy = self._asked, set(), True
            self._ring_all(queues)
            with self._changed:
                self._busy = False
                self._changed.notify_all()
            # Whoever asks within the pause shares the next ring.
            self._pause.wait(PAUSE_SECONDS)

    def _ring_all(self, queues: Iterable[str]) -> None:
        for queue in queues:
            try:
                push(self._client, queue, self._jobs[queue])
            except redis.RedisError as problem:
                log.warning("bell of %s not rung, the sweep will: %s", queue, problem)
                return


def init_app(app: Flask, jobs: dict[str, str]) -> None:
    """Give the application its bell and its Redis client."""
    settings = app.extensions["settings"]
    # A command run beside the supervisor finds the embedded Redis where it listens.
    url = settings.redis_url or embedded_redis.url(settings.data_dir)
    app.extensions["redis_url"] = url
    app.extensions["redis"] = connect(url, timeout=1.0)
    app.extensions["bell"] = bell = Bell(url, jobs)
    atexit.register(bell.flush)


def ring(queue: str) -> None:
    """Ring the bell of a queue of the current application."""
    current_app.extensions["bell"].ring(queue)


def client() -> redis.Redis:
    """The Redis of the current application."""
    found: redis.Redis = current_app.extensions["redis"]
    return found


def sizes(connection: redis.Redis | None = None) -> dict[str, Any]:
    """Jobs waiting in each of the five queues of RQ (bells, not deliveries)."""
    pipe = (connection or client()).pipeline(transaction=False)
    for queue in QUEUES:
        pipe.llen(f"rq:queue:{queue}")
    return dict(zip(QUEUES, pipe.execute(), strict=True))
