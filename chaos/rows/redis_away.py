"""Redis is stopped for 30 s, then swallows everything for 20 s: the doorbell is away, no more."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from bench.processes import until
from bench.stats import percentile
from chaos.clients import Clients, Sent
from chaos.figures import NONE, Figure, at_most, yes
from chaos.own_redis import OwnRedis
from chaos.reconcile import reconcile
from chaos.setting import Setting
from chaos.target import Entry
from chaos.target_server import ACCEPTED

RATE = 40.0
STOPPED, HOLE, AROUND = 30, 20, 6
SETTLE = 60.0


class Outage(NamedTuple):
    """One of the two, in ms."""

    name: str
    began: int
    ended: int


def run(setting: Setting) -> list[Figure]:
    """Traffic all along, Redis away twice."""
    target = setting.target()
    redis = setting.also(OwnRedis(setting.place()))
    hub = setting.hub(target, REDIS_URL=redis.url)
    before = hub.pids()
    stopped, hole = setting.of(STOPPED, 8), setting.of(HOLE, 8)
    seconds = stopped + hole + 3.0 * AROUND
    with Clients(hub, 0, RATE, seconds=seconds) as clients:
        time.sleep(AROUND)
        outages = [_stopped(redis, stopped)]
        time.sleep(AROUND)
        outages.append(_swallowed(redis, hole))
        sent = clients.finish(seconds + SETTLE)
    done = "status IN ('done', 'failed')"
    until(lambda: hub.count("integration_events", done) >= len(sent.ids), SETTLE, "all are done")
    entries = target.entries()
    account = reconcile(sent, entries)
    return [
        *(figure for each in outages for figure in _during(each, sent, entries)),
        Figure("refused while Redis was away", sum(t.status >= 300 for t in sent.tries), NONE),
        Figure("lost", len(account.lost), NONE),
        Figure("duplicated", len(account.again)),
        yes("no process of the hub ended", hub.pids() == before),
    ]


def _stopped(redis: OwnRedis, seconds: float) -> Outage:
    began = now()
    os.kill(redis.process.pid, signal.SIGSTOP)
    time.sleep(seconds)
    os.kill(redis.process.pid, signal.SIGCONT)
    return Outage("stopped", began, now())


def _swallowed(redis: OwnRedis, seconds: float) -> Outage:
    began, redis.relay.is_hole = now(), True
    time.sleep(seconds)
    redis.relay.is_hole = False
    return Outage("a black hole", began, now())


def _during(outage: Outage, sent: Sent, entries: Sequence[Entry]) -> list[Figure]:
    took = [t.ended - t.began for t in sent.tries if outage.began <= t.began <= outage.ended]
    arrived = sorted(each.at for each in entries if each.outcome == ACCEPTED)
    after = min((at for at in arrived if at >= outage.ended), default=1 << 62)
    within = [at for at in arrived if outage.began <= at <= outage.ended]
    around = [outage.began, *within, outage.ended]
    pause = max(b - a for a, b in pairwise(around))
    name = f"Redis {outage.name}:"
    return [
        Figure(f"{name} intake p99", percentile(took, 99), at_most(1_500), "ms"),
        Figure(f"{name} delivery goes on after", (after - outage.ended) / 1000, at_most(5), "s"),
        Figure(f"{name} longest pause of deliveries", pause / 1000, None, "s"),
    ]


def now() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000
