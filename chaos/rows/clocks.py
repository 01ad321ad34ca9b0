"""The clock of one living process is stepped by an hour, forth and back: nobody waits an hour."""

from __future__ import annotations

import random
import time
from pathlib import Path

from bench.processes import ROOT, NotInTime, until
from chaos.clients import Clients, Sent
from chaos.figures import NONE, Figure, at_most, exactly
from chaos.hub import SUPERVISOR, Hub
from chaos.own_redis import OwnRedis
from chaos.reconcile import reconcile
from chaos.setting import Setting
from chaos.target import Entry, Target
from chaos.target_server import ACCEPTED

RATE = 20.0
HOUR = 3_600
STEP, LONG_STEP = 10.0, 32.0
STUCK_MS = 30_000
LINES = ("web", "high", "default", "retry", "low", "scheduler", "redis")
SHORT_LINES = ("retry", "scheduler", "high")


class Clocks:
    """One file per line of the Procfile says by how many seconds its clock is off."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for line in LINES:
            self.step(line, 0)

    def step(self, line: str, seconds: int) -> None:
        """From now on the clock of these processes is off by so much."""
        fresh = self.folder / f"{line}.new"
        fresh.write_text(f"{seconds:+d}\n")
        fresh.replace(self.folder / line)

    def environ(self, line: str) -> dict[str, str]:
        """What makes a process ask the file."""
        library = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), None)
        if library is None:
            raise NotInTime("libfaketime is not here: run scripts/faketime.sh")
        return {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self.folder / line),
            "FAKETIME_CACHE_DURATION": "1",
            # No machine steps this one.
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }

    def procfile(self) -> Path:
        """The product's own Procfile with a clock of its own for each line."""
        lines = []
        for line in (ROOT / "Procfile").read_text().splitlines():
            name, _, command = line.partition(": ")
            given = " ".join(f"{k}={v}" for k, v in self.environ(name).items())
            lines.append(f"{name}: env {given} {command}" if name in LINES else line)
        path = self.folder / "Procfile"
        path.write_text("\n".join(lines) + "\n")
        return path


def run(setting: Setting) -> list[Figure]:
    """Each in turn, in an order and with signs that the seed draws."""
    chance = setting.random("clocks")
    clocks = Clocks(setting.place())
    redis = setting.also(OwnRedis(setting.place(), clocks.environ("redis")))
    target = setting.target()
    words = (*SUPERVISOR[:-1], str(clocks.procfile()))
    hub = setting.hub(target, words=words, REDIS_URL=redis.url)
    steps = _plan(chance, SHORT_LINES if setting.short else LINES)
    seconds = sum(length + 2 for _, _, length in steps) + 3
    with Clients(hub, 0, RATE, seconds=seconds) as clients:
        time.sleep(3)
        moments = [
            (round(time.time() * 1000), line, by)
            for line, by, length in steps
            if _step(clocks, target, line, by, length)
        ]
        sent = clients.finish(seconds + 60)
    until(lambda: not hub.count("deliveries", "status = 'pending'"), STUCK_MS / 1000 + 30, "sent")
    attempts = hub.query("SELECT * FROM attempts WHERE outcome <> 'sent' ORDER BY id")
    setting.note(
        "clocks", ended=moments, sent=sent.tries, entries=target.entries(),
        attempts=[list(row) for row in attempts], log=hub.text()[-200_000:],
    )  # fmt: skip
    return _figures(hub, sent, target.entries(), len(steps))


def _plan(chance: random.Random, lines: tuple[str, ...]) -> list[tuple[str, int, float]]:
    """(line, seconds, how long): both ways, one of them for longer than a step is doubted."""
    found = [(line, by * HOUR, STEP) for line in lines for by in (1, -1)]
    chance.shuffle(found)
    line, by, _ = found[0]
    return [(line, by, LONG_STEP), *found[1:]]


def _step(clocks: Clocks, target: Target, line: str, by: int, length: float) -> bool:
    """The step, a moment in which the system fails (so that some wait for a retry), and back."""
    clocks.step(line, by)
    target.mode("503", "crm")
    time.sleep(1)
    target.mode("ok", "crm")
    time.sleep(length - 1)
    clocks.step(line, 0)
    time.sleep(2)
    return True


def _figures(hub: Hub, sent: Sent, entries: list[Entry], steps: int) -> list[Figure]:
    account = reconcile(sent, entries)
    arrived: dict[int, int] = {}
    for each in entries:
        if each.outcome == ACCEPTED:
            arrived.setdefault(each.event, each.at)
    accepted = {t.id: t.ended for t in sent.tries if t.id is not None}
    waits = [arrived.get(id_, 1 << 62) - at for id_, at in accepted.items()]
    true = time.time_ns() // 1_000_000
    minute = hub.redis().zscore("rq:scheduler:scheduled_jobs", "hub-minute") or 1e12
    return [
        Figure("clocks stepped by an hour", steps),
        Figure("stuck for more than 30 s", sum(wait > STUCK_MS for wait in waits), NONE),
        Figure("longest from accepted to delivered", max(waits) / 1000, None, "s"),
        Figure("refused", sum(not 200 <= t.status < 300 for t in sent.tries)),
        Figure("lost", len(account.lost), NONE),
        Figure("duplicated", len(account.again)),
        Figure("dead letters", hub.count("dead_letters"), NONE),
        Figure("attempts taken for lost", hub.count("attempts", "outcome = 'lost'")),
        Figure("slots taken before their time", hub.count("slots", f"slot > {true}"), NONE),
        Figure("slots taken twice", _twice(hub), exactly(0)),
        Figure("next look for slots", minute - true / 1000, at_most(61), "s"),
    ]


def _twice(hub: Hub) -> int:
    rows = hub.query("SELECT job, slot FROM slots")
    return len(rows) - len({tuple(row) for row in rows})
