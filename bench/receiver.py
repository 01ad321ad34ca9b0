"""The sink as the rows use it: started, asked, and watched while work is done against it."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.processes import NotInTime, Process, cpu

LOOK = 0.05
# The first and the last tenth are start and end, not the steady work.
EDGE = 0.1


@dataclass(frozen=True, slots=True)
class Rate:
    """Deliveries per second and what each cost its processes, in ms of CPU."""

    per_second: float
    cpu_ms: float


class Receiver:
    """The sink's process."""

    def __init__(self, folder: Path) -> None:
        self.process = Process(
            [sys.executable, "-m", "bench.sink"], os.environ, folder / "sink.log", subprocess.PIPE
        )
        assert self.process.popen.stdout is not None
        self.port = int(self.process.popen.stdout.readline())
        self._control = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def url(self, kind: int | str) -> str:
        """Address that answers after `kind` ms (or `hang`)."""
        return f"http://127.0.0.1:{self.port}/{kind}/events"

    def ask(self, what: str) -> Any:
        """Answer of a control path."""
        self._control.request("GET", f"/control/{what}")
        return json.loads(self._control.getresponse().read())

    def arrivals(self) -> dict[str, float]:
        """First arrival (ms since the epoch) by message id."""
        found: dict[str, float] = self.ask("arrivals")
        return found

    def watch(self, expected: int, workers: Sequence[Process], seconds: float) -> Rate:
        """The steady rate at which `expected` messages arrive, from here on."""
        marks: list[tuple[int, float, float]] = []
        end = time.monotonic() + seconds
        while not marks or marks[-1][0] < expected * (1 - EDGE):
            count = self.ask("report")["distinct"]
            if count >= expected * EDGE:
                marks.append((count, time.monotonic(), cpu(workers)))
            if time.monotonic() > end or not all(one.alive() for one in workers):
                raise NotInTime(f"{count} of {expected} messages came within {seconds:g} s")
            time.sleep(LOOK)
        (n0, t0, c0), (n1, t1, c1) = marks[0], marks[-1]
        if n1 == n0:
            raise NotInTime("all messages came at once: too few to measure")
        return Rate((n1 - n0) / (t1 - t0), (c1 - c0) / (n1 - n0) * 1000)

    def wait_for(self, expected: int, seconds: float) -> None:
        """Until `expected` distinct messages have come."""
        end = time.monotonic() + seconds
        while (count := self.ask("report")["distinct"]) < expected:
            if time.monotonic() > end:
                raise NotInTime(f"{count} of {expected} messages came within {seconds:g} s")
            time.sleep(LOOK)

    def close(self) -> None:
        """End it."""
        self._control.close()
        self.process.stop()
