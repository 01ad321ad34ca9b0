"""The clock of one living process is stepped by an hour, forth and back: nobody waits an hour."""

from __future__ import annotations

import random
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from bench.processes import ROOT, NotInTime, until
from chaos.clients import Clients, Sent
from chaos.figures import NONE, Figure, at_most, exactly, yes
from chaos.hub import SUPERVISOR, Hub
from chaos.own_redis import OwnRedis
from chaos.reconcile import reconcile
from chaos.setting import Setting
from chaos.target import Entry, Target
from chaos.target_server import ACCEPTED

RATE = 20.0
# Each of these starts an automation, whose steps wait for each other.
LEADS, LEAD = 2.0, "lead.created"
HOUR = 3_600
# The full hour strikes so long after the hub is started, and so long before the end at the latest:
# the minute's job must have come round.
STRIKES_AFTER, STRIKES_BEFORE = 40.0, 80.0
HOURLY, ITS_SLOT = "sync.crm_operacao", "sync-crm-operacao"
STEP, LONG_STEP = 7.0, 32.0
STUCK_MS = 30_000
LINES = ("web", "high", "default", "notifications", "retry", "low", "scheduler", "redis")
SHORT_LINES = ("retry", "scheduler", "high")
TARGET = "target"


class Clocks:
    """One file per line of the Procfile says by how many seconds its clock is off.

    All of them are off by `base`, which makes the full hour strike when it is wanted.
    """

    def __init__(self, folder: Path, strikes_in: float) -> None:
        self.folder = folder
        then = time.time() + strikes_in
        self.hour = round(then / HOUR) * HOUR
        self.base = round(self.hour - then)
        for line in (*LINES, TARGET):
            self.step(line, 0)

    def now(self) -> float:
        """What a clock says that nobody stepped, in seconds."""
        return time.time() + self.base

    def step(self, line: str, seconds: int) -> None:
        """From now on the clock of these processes is off by so much."""
        fresh = self.folder / f"{line}.new"
        fresh.write_text(f"{self.base + seconds:+d}\n")
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
    """Each in turn, in an order and with signs that the seed draws, while the hour strikes."""
    chance = setting.random("clocks")
    steps = _plan(chance, SHORT_LINES if setting.short else LINES)
    seconds = sum(length + 2 for _, _, length in steps) + 3
    room = max(seconds - STRIKES_AFTER - STRIKES_BEFORE, 0)
    clocks = Clocks(setting.place(), STRIKES_AFTER + chance.uniform(0, room))
    redis = setting.also(OwnRedis(setting.place(), clocks.environ("redis")))
    # It checks when a message was signed, so it goes by the clock that nobody steps.
    ahead = clocks.base * 1000
    target = setting.also(Target(setting.place(), clocks.environ(TARGET), ahead))
    words = (*SUPERVISOR[:-1], str(clocks.procfile()))
    hub = setting.hub(target, words=words, REDIS_URL=redis.url)
    hub.run("UPDATE sync_schedules SET paused = false WHERE name = 'crm_operacao'")
    with (
        Clients(hub, 0, RATE, seconds=seconds) as clients,
        Clients(hub, 0, LEADS, name="leads", event_type=LEAD, seconds=seconds) as leads,
    ):
        time.sleep(3)
        moments = [
            (round(time.time() * 1000), line, by)
            for line, by, length in steps
            if _step(clocks, target, line, by, length)
        ]
        sent, led = clients.finish(seconds + 60), leads.finish(60)
    with suppress(NotInTime):
        until(lambda: not _open(hub), STUCK_MS / 1000, "all events settled", 0.2)
    attempts = hub.query("SELECT * FROM attempts WHERE outcome <> 'sent' ORDER BY id")
    setting.note(
        "clocks", ended=moments, sent=sent.tries, led=led.tries, entries=target.entries(),
        attempts=[list(row) for row in attempts], log=hub.text()[-200_000:], slow=hub.slow(),
    )  # fmt: skip
    return _figures(hub, clocks, sent, target.entries(), len(steps))


def _open(hub: Hub) -> int:
    """Events that have not come to their end, steps of automations included."""
    return hub.count("integration_events", "status IN ('pending', 'processing')")


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


def _figures(
    hub: Hub, clocks: Clocks, sent: Sent, entries: list[Entry], steps: int
) -> list[Figure]:
    account = reconcile(sent, entries)
    arrived: dict[int, int] = {}
    for each in entries:
        if each.outcome == ACCEPTED:
            arrived.setdefault(each.event, each.at)
    accepted = {t.id: t.ended for t in sent.tries if t.id is not None}
    waits = [arrived.get(id_, 1 << 62) - at for id_, at in accepted.items()]
    return [
        Figure("clocks stepped by an hour", steps),
        Figure("stuck for more than 30 s", sum(wait > STUCK_MS for wait in waits), NONE),
        Figure("longest from accepted to delivered", max(waits) / 1000, None, "s"),
        Figure("events open 30 s after the last step", _open(hub), NONE),
        Figure("refused", sum(not 200 <= t.status < 300 for t in sent.tries)),
        Figure("lost", len(account.lost), NONE),
        Figure("duplicated", len(account.again)),
        Figure("dead letters", hub.count("dead_letters"), NONE),
        Figure("attempts taken for lost", hub.count("attempts", "outcome = 'lost'")),
        *_slots(hub, clocks),
    ]


def _slots(hub: Hub, clocks: Clocks) -> list[Figure]:
    """The hour struck once while clocks stepped over it and back."""
    true, hour = clocks.now() * 1000, clocks.hour * 1000
    minute = hub.redis().zscore("rq:scheduler:scheduled_jobs", "hub-minute") or 1e12
    runs = f"job_type = '{HOURLY}' AND trigger = 'schedule'"
    every = Counter(row.slot for row in hub.query(f"SELECT slot FROM sync_runs WHERE {runs}"))
    ended = f"job = '{ITS_SLOT}' AND slot = {hour} AND done_at IS NOT NULL"
    return [
        Figure("runs of the hourly pull when the hour struck", every[hour], exactly(1)),
        Figure("slots that ran twice", sum(n > 1 for n in every.values()), NONE),
        yes("the slot was ended by who took it", hub.count("slots", ended) == 1),
        Figure("slots taken before their time", hub.count("slots", f"slot > {true:.0f}"), NONE),
        Figure("next look for slots", (minute - true / 1000), at_most(61), "s"),
    ]
