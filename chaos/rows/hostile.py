"""Twelve systems that misbehave beside a good one: it is served as if they were not there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence

import psutil

from app import clock, create_app
from app.access.actor import SYSTEM
from app.db import db
from app.systems.actions.endpoints import create_endpoint
from bench.processes import Process, until
from bench.stats import percentile
from chaos.clients import Clients, Sent
from chaos.figures import NONE, Figure, at_least, at_most
from chaos.hub import Hub
from chaos.setting import Setting
from chaos.target import Entry
from chaos.target_server import ACCEPTED

RATE, HOSTILE_RATE = 20.0, 2.0
SECONDS = 12
DEADLINE = 2.0
MEMORY = 20.0
HOST = "marketing"


def run(setting: Setting) -> list[Figure]:
    """The good one alone, in bad company, and alone again: the machine may change meanwhile."""
    target = setting.target()
    hub = setting.hub(target, CIRCUIT_BREAKER_FAILURE_THRESHOLD="1000000", RETRY_MAX_ATTEMPTS="3")
    bad = Hostile(hub)
    setting.also(bad)
    seconds = setting.of(SECONDS, 6)
    warm = _traffic(hub, "warm", seconds)
    memory = _memory(hub)
    alone = [_traffic(hub, "before", seconds)]
    with Clients(hub, 0, HOSTILE_RATE, name="bad", event_type="lead.created",
                 seconds=seconds) as company:  # fmt: skip
        beside = _traffic(hub, "beside", seconds)
        company.finish(60)
    until(lambda: not hub.count("deliveries", "status = 'pending'"), 90, "nothing is under way")
    grown = max(after - memory[name] for name, after in _memory(hub).items() if name in memory)
    alone.append(_traffic(hub, "after", seconds))
    entries = target.entries()
    before = [late for sent in alone for late in _late(sent, entries)]
    ratio = percentile(_late(beside, entries), 95) / percentile(before, 95)
    where = f"endpoint_id IN ({','.join(str(id_) for id_ in bad.ids.values())})"
    longest = hub.query(
        f"SELECT max(latency_ms) FROM attempts a JOIN deliveries d ON d.id = a.delivery_id "
        f"WHERE d.{where}"
    )[0][0]
    return [
        Figure("hostile systems asked", _asked(hub, bad.ids), at_least(len(bad.ids))),
        Figure("deliveries to them", hub.count("deliveries", where)),
        Figure("of these counted as delivered", hub.count("deliveries", f"{where} AND status = "
               "'sent'"), NONE),
        Figure("good one's p95 beside them ÷ alone", ratio, at_most(2)),
        Figure("good one's p95 alone", percentile(before, 95), None, "ms"),
        Figure("longest hold of a worker", longest / 1000, at_most(DEADLINE + 1), "s"),
        Figure("memory of a worker grew by", grown, at_most(MEMORY), "MiB"),
        Figure("good ones not delivered", len(warm.ids) + len(beside.ids) + sum(
            len(sent.ids) for sent in alone) - _good(hub), NONE),
    ]  # fmt: skip


class Hostile:
    """The process of the twelve, and their endpoints at the hub."""

    def __init__(self, hub: Hub) -> None:
        words = [sys.executable, "-m", "chaos.hostile_server"]
        log = hub.folder / "hostile.log"
        self.process = Process(words, os.environ, log, subprocess.PIPE)
        assert self.process.popen.stdout is not None
        urls: Mapping[str, str] = json.loads(self.process.popen.stdout.readline())
        with create_app(hub.settings).app_context():
            self.ids = {
                name: create_endpoint(HOST, url, name, by=SYSTEM, now=clock.now()).id
                for name, url in urls.items()
            }
            db.engine.dispose()

    def __enter__(self) -> Hostile:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stop()


def _traffic(hub: Hub, name: str, seconds: float) -> Sent:
    """Events for the good one only."""
    with Clients(hub, 0, RATE, name=name, seconds=seconds) as clients:
        return clients.finish(seconds + 60)


def _late(sent: Sent, entries: Sequence[Entry]) -> list[float]:
    """Milliseconds from sent to the hub to received by the system."""
    received = {each.event: each.at for each in entries if each.outcome == ACCEPTED}
    accepted = {t.id: t.began for t in sent.tries if t.id is not None}
    return [received[id_] - at for id_, at in accepted.items() if id_ in received]


def _memory(hub: Hub) -> dict[int, float]:
    """MiB of each worker by its process."""
    workers = [pid for name, pid in hub.pids().items() if name.startswith(("high", "retry"))]
    return {pid: psutil.Process(pid).memory_info().rss / 2**20 for pid in workers}


def _asked(hub: Hub, ids: Mapping[str, int]) -> int:
    rows = hub.query(
        "SELECT DISTINCT d.endpoint_id FROM deliveries d JOIN attempts a ON a.delivery_id = d.id"
    )
    return len({row[0] for row in rows} & set(ids.values()))


def _good(hub: Hub) -> int:
    return hub.count("deliveries", "system = 'crm' AND event_type = 'lead.updated' AND "
                     "status = 'sent'")  # fmt: skip
