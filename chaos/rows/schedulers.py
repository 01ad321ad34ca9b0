"""Two schedulers, one of which is killed again and again: every slot once, none left out."""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from bench.processes import Process, until
from chaos.clients import Clients
from chaos.figures import NONE, Figure, at_least, at_most, exactly
from chaos.hub import Hub
from chaos.reconcile import reconcile
from chaos.setting import Setting
from chaos.target import Target
from chaos.target_server import ACCEPTED

SLOTS = 60
EVERY = 0.5
LEASE = 4.0
SETTLE = 60.0


def run(setting: Setting) -> list[Figure]:
    """Slots fall due twice a second for two takers; the one that took the last is killed."""
    target = setting.target()
    hub = setting.hub(target, HUB_WORKERS="high=2,scheduler=2", RETRY_BASE_DELAY="0.5")
    count = setting.of(SLOTS, 20)
    return [*_slots(hub, count, setting.random("schedulers")), *_retries(hub, target)]


def _slots(hub: Hub, count: int, chance: random.Random) -> list[Figure]:
    book = hub.folder / "slots"
    takers = [_taker(hub, book, count) for _ in range(2)]
    until(lambda: _ready(book, takers), 60, "two takers are ready")
    book.with_suffix(".start").write_text(str(time.time() + 0.5))
    planned = max(count // 10, 2)
    deaths = sorted(chance.sample(range(2, count - 2), planned))
    end = time.time() + count * EVERY + SETTLE
    while len(_lines(book)) < count and time.time() < end:
        if deaths and len(_lines(book)) > deaths[0] and _ready(book, takers):
            deaths.pop(0)
            leader = next(each for each in takers if each.pid == _lines(book)[-1]["pid"])
            os.kill(leader.pid, signal.SIGKILL)
            takers[takers.index(leader)] = _taker(hub, book, count)
        time.sleep(0.01)
    for taker in takers:
        taker.stop()
    runs = Counter(line["slot"] for line in _lines(book))
    late = [line["at"] - line["slot"] for line in _lines(book)]
    return [
        Figure("slots run", len(runs), exactly(count)),
        Figure("slots run twice", sum(n > 1 for n in runs.values()), NONE),
        Figure("leaders killed", planned - len(deaths), at_least(1)),
        Figure("latest slot after its time", max(late, default=1e6) / 1000, at_most(LEASE), "s"),
    ]


def _taker(hub: Hub, book: Path, count: int) -> Process:
    order = {"book": str(book), "every": EVERY, "count": count}
    words = [sys.executable, "-m", "chaos.slot_taker", json.dumps(order)]
    environ = {**hub.environ, "REDIS_URL": hub.settings.redis_url}
    return Process(words, environ, hub.folder / "takers.log")


def _ready(book: Path, takers: Sequence[Process]) -> bool:
    """Whether all of them know the product by now (loading it takes seconds)."""
    ready = {line["pid"] for line in _lines(book.with_suffix(".ready"))}
    return all(each.pid in ready for each in takers)


def _lines(book: Path) -> list[dict[str, int]]:
    text = book.read_text() if book.exists() else ""
    return [json.loads(line) for line in text.splitlines() if line.endswith("}")]


def _retries(hub: Hub, target: Target) -> list[Figure]:
    """The product's own two: one is killed; what waits for a retry goes on falling due."""
    target.mode("503", "crm")
    with Clients(hub, 3, 10) as clients:
        sent = clients.finish(30)
    until(lambda: hub.count("attempts") >= len(sent.ids), 20, "a first attempt of each")
    hub.kill("scheduler.1")
    killed = time.time_ns() // 1_000_000
    target.mode("ok", "crm")
    done = "status = 'done'"
    until(lambda: hub.count("integration_events", done) == len(sent.ids), SETTLE, "all are done")
    after = min(each.at for each in target.entries() if each.outcome == ACCEPTED) - killed
    return [
        Figure("next retry after one scheduler was killed", after / 1000, at_most(LEASE), "s"),
        Figure("lost", len(reconcile(sent, target.entries()).lost), NONE),
    ]
