"""A peer at work: its state, its broker, its workers, and the rate that comes of them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app import embedded_redis
from app.payloads import dump_json
from bench.hub import TYPES, payload
from bench.peers.state import State
from bench.processes import ROOT, Process, until
from bench.receiver import Rate, Receiver

_CELERY = (
    "-m celery -A bench.peers.on_celery worker --pool prefork --concurrency 2 --loglevel WARNING "
    "--without-gossip --without-mingle --without-heartbeat"
)
_RQ = "-m rq.cli worker --url unix://{broker} --worker-class rq.SimpleWorker --quiet"


@dataclass(frozen=True, slots=True)
class Peer:
    """How it is started, and roughly how many deliveries it manages in three seconds."""

    name: str
    module: str
    workers: tuple[str, ...]
    jobs_0: int
    jobs_50: int


PEERS = (
    Peer("Celery prefork 2", "on_celery", (_CELERY,), 1500, 120),
    Peer(
        "Dramatiq 2 × 8", "on_dramatiq",
        ("-m dramatiq bench.peers.on_dramatiq --processes 2 --threads 8",), 2400, 900,
    ),
    Peer(
        "taskiq 2 × 64", "on_taskiq",
        ("-m taskiq worker bench.peers.on_taskiq:broker --workers 2 --max-async-tasks 64",),
        4000, 4000,
    ),
    Peer("RQ SimpleWorker 2", "on_rq", (_RQ, _RQ), 1000, 110),
)  # fmt: skip


def measure(
    peer: Peer, sink: Receiver, delay: int, count: int, folder: Path, database: Callable[[], str]
) -> Rate:
    """Deliver `count` jobs to the sink; the rate, once all outcomes are written."""
    folder.mkdir(parents=True)
    state = State(database() or str(folder / "state.db"))
    bodies = (dump_json(payload(number)) for number in range(count))
    state.create(bodies, TYPES["crm"])
    broker = Process(embedded_redis.command(folder), os.environ, folder / "redis.log")
    listen = embedded_redis.socket_path(folder)
    environ = {**os.environ, "BENCH_STATE": state.url, "BENCH_BROKER": str(listen),
               "BENCH_URL": sink.url(delay), "PYTHONPATH": str(ROOT)}  # fmt: skip
    workers: list[Process] = []
    try:
        until(lambda: embedded_redis.answers(listen), 10, "the broker answers")
        enqueue = [sys.executable, "-m", "bench.peers.enqueue", peer.module, str(count)]
        subprocess.run(enqueue, env=environ, cwd=ROOT, check=True)
        sink.ask("reset")
        for line in peer.workers:
            words = [sys.executable, *line.format(broker=listen).split()]
            workers.append(Process(words, environ, folder / "workers.log"))
        rate = sink.watch(count, workers, 60)
        until(lambda: state.done() == (count, count), 20, f"{count} outcomes of {peer.name}", 0.05)
        return rate
    finally:
        for process in (*workers, broker):
            process.stop()
