"""Code through Redis: whoever may write there still cannot make a worker run what is not ours."""

from __future__ import annotations

import json
import os
import pickle
import signal
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis as redis_py
from flask import Flask
from rq import Queue
from rq.serializers import DefaultSerializer, JSONSerializer

from app import pipeline, queues, workers
from app.deliveries import jobs
from app.scheduler import Timer
from app.workers import HubQueue, HubWorker


@pytest.fixture
def flag(tmp_path: Path) -> Iterator[Path]:
    """A file that an attack would make."""
    path = tmp_path / "owned"
    yield path
    assert not path.exists(), "the attack ran"


@pytest.fixture
def work(seeded_app: Flask, redis: redis_py.Redis) -> Iterator[Callable[[], None]]:
    """Let a worker of the low queue do all that waits there."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def run() -> None:
        queue = HubQueue(queues.LOW, connection=redis, serializer=JSONSerializer)
        worker = HubWorker([queue], connection=redis, serializer=JSONSerializer)
        worker.is_busy = lambda: False
        worker.work_on = lambda: jobs.work(queues.LOW)
        worker.is_heard = lambda: True
        worker.work(burst=True, logging_level="ERROR")

    with seeded_app.app_context():
        yield run
    for number, handler in kept.items():
        signal.signal(number, handler)


class Evil:
    """Runs a command when it is unpickled."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (self.command,)


def _plant(redis: redis_py.Redis, data: bytes, **more: Any) -> None:
    """A job as whoever can write to Redis would leave it."""
    job = {
        "data": zlib.compress(data),
        "created_at": "2026-01-01T00:00:00.000000Z",
        "enqueued_at": "2026-01-01T00:00:00.000000Z",
        "origin": queues.LOW,
        "status": "queued",
        "timeout": "60",
        **more,
    }
    redis.hset("rq:job:evil", mapping=job)
    redis.rpush(f"rq:queue:{queues.LOW}", "evil")


def _json(name: str, *args: Any) -> bytes:
    return json.dumps([name, None, list(args), {}]).encode()


def test_a_pickle_is_not_opened(redis: redis_py.Redis, flag: Path, work) -> None:
    _plant(redis, pickle.dumps(Evil(f"touch {flag}")))
    work()


def test_a_job_put_there_by_rq_itself_is_refused(redis: redis_py.Redis, flag: Path, work) -> None:
    for serializer in (DefaultSerializer, JSONSerializer):
        queue = Queue(queues.LOW, connection=redis, serializer=serializer)
        queue.enqueue_call("os.system", args=(f"touch {flag}",))
    work()


@pytest.mark.parametrize(
    "name",
    ["os.system", "posix.system", "subprocess.getoutput", "app.cli.os.system", "builtins.exec",
     "app.queues.push", "app.deliveries.jobs.work.__class__", ""],
)  # fmt: skip
def test_only_functions_of_the_map_run(redis: redis_py.Redis, flag: Path, work, name: str) -> None:
    assert name not in pipeline.allowed_jobs()
    _plant(redis, _json(name, f"touch {flag}"))
    work()


@pytest.mark.parametrize(
    "field", ["success_callback_name", "failure_callback_name", "stopped_callback_name"]
)
def test_a_job_of_ours_does_not_bring_another_function_along(
    redis: redis_py.Redis, flag: Path, work, field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []
    monkeypatch.setattr("tests.security.payloads.HURT", lambda *_: ran.append(field), raising=False)
    name = min(pipeline.allowed_jobs())
    _plant(redis, _json(name, queues.LOW), **{field: "tests.security.payloads.HURT"})
    work()
    assert ran == []


def test_what_the_clock_writes_is_no_pickle(
    app: Flask, redis: redis_py.Redis, redis_url: str
) -> None:
    timer = Timer(redis_url)
    timer.tick()
    queues.push(redis, queues.HIGH, pipeline.MINUTE_JOB)
    kept = list(redis.keys("rq:job:*"))
    assert kept
    for key in kept:
        data = zlib.decompress(redis.hget(key, "data") or b"")
        assert json.loads(data)[0] in pipeline.allowed_jobs()


def test_a_look_that_fails_costs_neither_the_worker_nor_the_job(
    work: Callable[[], None], redis: redis_py.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def begun(queue: str) -> bool:
        seen.append(queue)
        if len(seen) == 1:
            raise OSError("the disk is away")
        return False

    monkeypatch.setattr("app.deliveries.jobs.work", begun)
    assert queues.push(redis, queues.LOW, "app.deliveries.jobs.drain")
    work()
    assert seen == [queues.LOW, queues.LOW]


def test_a_signal_does_not_tear_the_look_before_the_job_apart(
    work: Callable[[], None], redis: redis_py.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def begun(queue: str) -> bool:
        seen.append("begun")
        if len(seen) == 1:
            os.kill(os.getpid(), signal.SIGTERM)
        seen.append("ended")
        return False

    monkeypatch.setattr("app.deliveries.jobs.work", begun)
    for _ in range(2):
        redis.delete(queues.bell_key(queues.LOW))
        assert queues.push(redis, queues.LOW, "app.deliveries.jobs.drain")
    try:
        work()
    finally:
        workers._stop.clear()
    # The look and its job came to their end; the next bell is left to others.
    assert seen == ["begun", "ended"] * 2
    assert queues.sizes(redis)[queues.LOW] == 1


def test_a_drain_that_has_begun_goes_by_itself(
    work: Callable[[], None], redis: redis_py.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    def begun(queue: str) -> bool:
        (key,) = redis.scan_iter("rq:job:*")
        seen.append(redis.ttl(key))
        return False

    monkeypatch.setattr("app.deliveries.jobs.work", begun)
    assert queues.push(redis, queues.LOW, "app.deliveries.jobs.drain")
    work()
    # As the bell is heard, and once more as RQ has begun the job.
    assert len(seen) == 2 and all(0 < ttl <= queues.BEGUN_SECONDS for ttl in seen)
    assert list(redis.scan_iter("rq:job:*")) == []
    assert not redis.exists(f"rq:failed:{queues.LOW}")
