"""When what breaks: a schedule drawn from the seed, and the hand that follows it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import psutil
import redis as redis_py

from bench.processes import NotInTime
from chaos.hub import Hub
from chaos.target import Target

KILL, FLUSH, OUTAGE, RETURN = "kill", "flush", "outage", "return"
LOOK = 0.05
# A fault may not fall on a process that is being started again: it waits so long for it.
PATIENCE = 60.0


class Fault(NamedTuple):
    """Something that happens `at` seconds after the start, to a process or the target."""

    at: float
    what: str
    whom: str = ""


class Kill(NamedTuple):
    """A process group that was killed, and when (ms)."""

    at: int
    name: str


class Outage(NamedTuple):
    """The target failed from here to there (ms)."""

    began: int
    ended: int


def spread(chance: random.Random, count: int, start: float, end: float) -> list[float]:
    """Moments between start and end: one in each of `count` equal parts, anywhere in it."""
    part = (end - start) / max(count, 1)
    return [start + part * (n + chance.random()) for n in range(count)]


def kills(chance: random.Random, victims: Mapping[str, int], seconds: float) -> list[Fault]:
    """So many kills of each process, in any order, all along."""
    names = [name for name, times in victims.items() for _ in range(times)]
    chance.shuffle(names)
    moments = spread(chance, len(names), 2.0, seconds)
    return [Fault(at, KILL, name) for at, name in zip(moments, names, strict=True)]


def outages(
    chance: random.Random, modes: Sequence[str], length: float, seconds: float
) -> list[Fault]:
    """The target fails in each of these ways for a while, in this order."""
    part = seconds / max(len(modes), 1)
    found = []
    for number, mode in enumerate(modes):
        at = part * number + chance.uniform(0.1, 0.9) * max(part - length, 0)
        found += [Fault(at, OUTAGE, mode), Fault(at + length, RETURN)]
    return found


def flushes(chance: random.Random, count: int, seconds: float) -> list[Fault]:
    """Redis forgets everything."""
    return [Fault(at, FLUSH) for at in spread(chance, count, 2.0, seconds)]


@dataclass
class Hand:
    """Does what the schedule says, kills whoever holds a killer message, and keeps a book."""

    hub: Hub
    target: Target
    system: str = "crm"
    killed: list[Kill] = field(default_factory=list)
    outages: list[Outage] = field(default_factory=list)
    flushed: int = 0
    missed: int = 0
    _later: list[tuple[float, Fault]] = field(default_factory=list)
    _failing_since: int = 0

    def follow(self, faults: Sequence[Fault], until_done: Callable[[], bool], limit: float) -> None:
        """All faults in order, and on until the work is done as well."""
        start = time.monotonic()
        left = sorted(faults)
        while left or self._later or not until_done():
            since = time.monotonic() - start
            if since > limit:
                raise NotInTime(f"the work under faults within {limit:g} s")
            while left and left[0].at <= since:
                self._do(left.pop(0), since)
            self._again(since)
            self.strike()
            time.sleep(LOOK)

    def _do(self, fault: Fault, since: float) -> None:
        if fault.what == KILL:
            if not (self.hub.at_work(fault.whom) and self._kill(fault.whom)):
                self._later.append((since, fault))
        elif fault.what == FLUSH:
            if not self._flush():
                self._later.append((since, fault))
        elif fault.what == OUTAGE:
            self._failing_since = now()
            self.target.mode(fault.whom, self.system)
        else:
            self.target.mode("ok", self.system)
            self.outages.append(Outage(self._failing_since, now()))

    def _again(self, since: float) -> None:
        """What found its process dead is done once it lives."""
        later, self._later = self._later, []
        for asked, fault in later:
            if since - asked > PATIENCE:
                self.missed += 1
            else:
                self._do(fault, asked)

    def _kill(self, name: str) -> bool:
        if self.hub.kill(name) is None:
            return False
        self.killed.append(Kill(now(), name))
        return True

    def _flush(self) -> bool:
        try:
            self.hub.redis().flushall()
        except redis_py.RedisError:
            return False
        self.flushed += 1
        return True

    def strike(self) -> None:
        """A killer message kills the worker that sends it."""
        held = set(self.target.held())
        if not held:
            return
        for name, pid in self.hub.pids().items():
            if name not in ("web", "redis") and held & _local_ports(pid):
                self._kill(name)


def _local_ports(pid: int) -> set[int]:
    try:
        connections = psutil.Process(pid).net_connections("tcp")
    except psutil.NoSuchProcess:
        return set()
    return {c.laddr.port for c in connections}


def now() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000
