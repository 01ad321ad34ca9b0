"""Memory of a worker: with a thousand requests in flight, and after many deliveries."""

from __future__ import annotations

import time

from bench.figures import Figure, at_least, at_most
from bench.processes import NotInTime, Process
from bench.setting import Setting

IN_FLIGHT = 1_000
SLOW_MS = 2_000
EARLY, LATE, LATE_FULL = 5_000, 25_000, 1_000_000
# Far below what one worker sends: whoever is slower than that does not work.
SLOWEST, START_SECONDS = 2_000, 120


def run(setting: Setting) -> list[Figure]:
    """One worker; a single round, since memory does not depend on the neighbours."""
    peak, in_flight = _crowded(setting)
    growth = _long(setting)
    return [
        Figure("requests in flight at once", "", [in_flight], at_least(IN_FLIGHT)),
        Figure("memory of a worker with them", "MiB", [peak], at_most(150)),
        Figure(
            f"growth from {EARLY:,} to {_last(setting):,} deliveries", "MiB", [growth], None,
            at_most(5),
        ),
    ]  # fmt: skip


def _last(setting: Setting) -> int:
    return LATE_FULL if setting.full else LATE


def _crowded(setting: Setting) -> tuple[float, float]:
    with setting.hub(DELIVERY_IN_FLIGHT=str(IN_FLIGHT)) as hub:
        hub.aim("crm", setting.sink.url(SLOW_MS))
        hub.accept(2 * IN_FLIGHT)
        worker = hub.start("high")
        peak = _peak(setting, worker, 2 * IN_FLIGHT)
        return peak, float(setting.sink.ask("report")["peak_open"])


def _long(setting: Setting) -> float:
    with setting.hub() as hub:
        hub.accept(EARLY)
        worker = hub.start("high")
        early = _peak(setting, worker, EARLY)
        hub.accept(_last(setting) - EARLY)
        return max(0.0, _peak(setting, worker, _last(setting)) - early)


def _peak(setting: Setting, worker: Process, expected: int) -> float:
    """The most that was resident until so many messages had come."""
    peak, end = 0.0, time.monotonic() + START_SECONDS + expected / SLOWEST
    while setting.sink.ask("report")["distinct"] < expected:
        peak = max(peak, worker.rss())
        if time.monotonic() > end or not worker.alive():
            raise NotInTime(f"{expected} messages")
        time.sleep(0.05)
    return max(peak, worker.rss())
