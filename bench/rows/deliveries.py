"""Deliveries per second: two workers of the hub, the peers on the same work, the bare client."""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack

from app import config
from bench.figures import Figure, Goal, at_least
from bench.loading import load
from bench.peers.running import PEERS, measure
from bench.processes import Process
from bench.receiver import Rate
from bench.setting import Setting
from bench.stats import ratios

HUB, BARE = "hub", "bare client"
CELERY, DRAMATIQ = PEERS[0].name, PEERS[1].name
JOBS = {0: 20_000, 50: 20_000, 200: 10_000}
# The bare client is done with that many before its second process has begun.
BARE_JOBS = {0: 60_000, 50: 20_000}
# As many at once as a worker has.
IN_FLIGHT = config.Settings.model_fields["delivery_in_flight"].default
BODY = '{"text": "' + "texto " * 160 + '"}'

Rates = dict[tuple[str, int], list[Rate]]


def run(setting: Setting) -> list[Figure]:
    """One round after the other, all sides in each."""
    rates: Rates = defaultdict(list)
    headroom = []
    for _ in range(setting.rounds):
        for delay in (0, 50):
            _round(setting, delay, rates)
        rates[HUB, 200].append(hub_rate(setting, 200))
        headroom.append(_headroom(setting))
    return [Figure("the sink's own limit, raw client", "/s", headroom), *_figures(rates)]


def _round(setting: Setting, delay: int, rates: Rates) -> None:
    rates[HUB, delay].append(hub_rate(setting, delay))
    rates[BARE, delay].append(_bare_rate(setting, delay))
    for peer in PEERS:
        count = setting.of(peer.jobs_50 if delay else peer.jobs_0)
        rates[peer.name, delay].append(
            measure(peer, setting.sink, delay, count, setting.place(), setting.fresh_database)
        )


def hub_rate(setting: Setting, delay: int) -> Rate:
    """Two workers and the clock of the Procfile on a backlog taken in before they start."""
    count = setting.of(JOBS[delay])
    with setting.hub() as hub:
        hub.aim("crm", setting.sink.url(delay))
        hub.accept(count)
        workers = [hub.start(line) for line in ("high", "high", "scheduler")]
        rate = setting.sink.watch(count, workers, 60)
        hub.check_sent(count)
    return rate


def _bare_rate(setting: Setting, delay: int) -> Rate:
    """Two processes with as many requests in flight as a worker has."""
    setting.sink.ask("reset")
    count = setting.of(BARE_JOBS[delay])
    words = [sys.executable, "-m", "bench.client", setting.sink.url(delay)]
    with ExitStack() as stack:
        clients = []
        for _ in range(2):
            each = [*words, str(count // 2), str(IN_FLIGHT)]
            clients.append(Process(each, os.environ, setting.folder / "client.log"))
            stack.callback(clients[-1].stop)
        return setting.sink.watch(count, clients, 60)


def _headroom(setting: Setting) -> float:
    """What the sink takes from a client that does nothing but send."""
    path = setting.sink.url(0).partition(str(setting.sink.port))[2]
    headers = {"webhook-id": "msg_@NUMBER@"}
    return load(setting.sink.port, path, BODY, headers, seconds=2, connections=64).per_second


def _figures(rates: Rates) -> list[Figure]:
    found = [_rate(HUB, 0, rates, at_least(1500)), _rate(HUB, 50, rates), _rate(HUB, 200, rates)]
    for delay in (0, 50):
        found += [_rate(name, delay, rates) for name in (BARE, *(peer.name for peer in PEERS))]
    found += [_cpu(name, rates) for name in (HUB, BARE, *(peer.name for peer in PEERS))]
    found += [
        _ratio(CELERY, 0, rates, at_least(3), at_least(15)),
        _best(0, rates),
        _ratio(DRAMATIQ, 50, rates, at_least(3)),
        _best(50, rates),
        _ratio(BARE, 0, rates, at_least(0.3), at_least(0.6)),
        _ratio(BARE, 50, rates),
    ]
    return found


def _speeds(name: str, delay: int, rates: Rates) -> list[float]:
    return [rate.per_second for rate in rates[name, delay]]


def _rate(name: str, delay: int, rates: Rates, first: Goal | None = None) -> Figure:
    return Figure(f"deliveries at {delay} ms: {name}", "/s", _speeds(name, delay, rates), first)


def _cpu(name: str, rates: Rates) -> Figure:
    costs = [rate.cpu_ms for rate in rates[name, 0]]
    return Figure(f"CPU of a delivery at 0 ms: {name}", "ms", costs)


def _ratio(
    other: str, delay: int, rates: Rates, first: Goal | None = None, then: Goal | None = None
) -> Figure:
    values = ratios(_speeds(HUB, delay, rates), _speeds(other, delay, rates))
    return Figure(f"hub ÷ {other}, {delay} ms", "×", values, first, then)


def _best(delay: int, rates: Rates) -> Figure:
    """Against the fastest peer of each round."""
    best: Sequence[float] = [
        max(speeds)
        for speeds in zip(*(_speeds(peer.name, delay, rates) for peer in PEERS), strict=True)
    ]
    values = ratios(_speeds(HUB, delay, rates), best)
    return Figure(f"hub ÷ best peer, {delay} ms", "×", values, None, at_least(8))
