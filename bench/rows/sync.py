"""A sync of ten thousand items beside the bare HTTP calls, and what it does to the memory."""

from __future__ import annotations

import subprocess
import sys
import time

from app import clock, config
from app.access.actor import SYSTEM
from app.syncs.actions.start import named, start
from bench.figures import Figure, at_most
from bench.hub import Hub
from bench.processes import ROOT, NotInTime, Process
from bench.setting import Setting
from bench.stats import ratios
from tests.partners.client import Partners

ITEMS = 10_000
# Requests in flight to each system (the product's own default is the last); the bare calls have
# as many to both together, though they are at their best with few.
EACH = (64, config.Settings.model_fields["delivery_in_flight"].default)
EARLY = 0.25
LOOK = 0.1
PATIENCE = 240


def run(setting: Setting) -> list[Figure]:
    """One round after the other: the bare calls, then the hub, on the same partners."""
    count = setting.of(ITEMS)
    figures: list[Figure] = []
    with Partners.start(own_ports=True) as partners:
        for each in EACH:
            figures += _rounds(setting, partners, count, each)
    return figures


def _rounds(setting: Setting, partners: Partners, count: int, each: int) -> list[Figure]:
    hub, bare, growth = [], [], []
    for _ in range(min(setting.rounds, 2)):
        bare.append(_bare(partners, count, each))
        seconds, grown = _hub(setting, partners, count, each)
        hub.append(seconds)
        growth.append(grown)
    what = f"sync of {count:,} items, {each} in flight a system"
    return [
        Figure(f"{what}: hub", "s", hub),
        Figure(f"{what}: bare calls", "s", bare),
        Figure(f"{what}: hub ÷ bare calls", "×", ratios(hub, bare), at_most(1.3)),
        Figure(f"{what}: growth of the worker after a quarter", "MiB", growth, at_most(10)),
    ]


def _seed(partners: Partners, count: int) -> None:
    partners.reset()
    partners.seed(schedules=count)


def _bare(partners: Partners, count: int, each: int) -> float:
    """Nothing but the calls, by a process of its own as the hub's worker is one."""
    _seed(partners, count)
    urls = [partners.url("crm"), partners.url("operacao")]
    done = subprocess.run(
        [sys.executable, "-m", "bench.pull", *urls, str(2 * each)], cwd=ROOT, text=True,
        stdout=subprocess.PIPE, check=True, timeout=PATIENCE,
    )  # fmt: skip
    _check(partners, count)
    return float(done.stdout)


def _hub(setting: Setting, partners: Partners, count: int, each: int) -> tuple[float, float]:
    """The worker of the syncs and the clock; seconds of the run, and MiB that the worker grew."""
    _seed(partners, count)
    environ = {**partners.environment(), "DELIVERY_IN_FLIGHT": str(each)}
    with setting.hub(**environ) as hub:
        hub.run("UPDATE sync_schedules SET paused = true")
        hub.start_all("scheduler")
        worker = hub.start("low")
        with hub.app.app_context():
            (run_id,) = start(named("crm_operacao"), by=SYSTEM, why=None, now=clock.now())
        grown = _watch(hub, worker, run_id, count)
        (row,) = hub.query(f"SELECT status, done, started_at, finished_at FROM sync_runs "
                           f"WHERE id = {run_id}")  # fmt: skip
    if (row.status, row.done) != ("done", count):
        raise RuntimeError(f"the run ended as {row.status} with {row.done} of {count} items")
    _check(partners, count)
    return (row.finished_at - row.started_at) / 1000, grown


def _watch(hub: Hub, worker: Process, run_id: int, count: int) -> float:
    """Until the run has ended; MiB between the peak of its first quarter and of all of it."""
    early = peak = 0.0
    end = time.monotonic() + PATIENCE
    query = f"SELECT status, done FROM sync_runs WHERE id = {run_id}"
    while (row := hub.query(query)[0]).status in ("queued", "running"):
        if time.monotonic() > end or not worker.alive():
            raise NotInTime(f"{row.done} of {count} items within {PATIENCE} s")
        peak = max(peak, worker.rss())
        early = peak if row.done <= count * EARLY else early
        time.sleep(LOOK)
    return max(0.0, peak - early)


def _check(partners: Partners, count: int) -> None:
    """Speed with lost or doubled work is no speed."""
    contracts = [row["crm_contract_id"] for row in partners.rows("operacao", "schedules")]
    waiting = partners.rows("crm", "pending_schedules")
    if waiting or len(contracts) != count or len(set(contracts)) != count:
        raise RuntimeError(f"{len(contracts)} schedules, {len(waiting)} wait, of {count} items")
