"""A system is down and eight workers know it: one probe a window, also after they all died."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from bench.processes import until
from chaos.clients import Clients
from chaos.faults import now
from chaos.figures import NONE, Figure, at_least, exactly
from chaos.hub import Hub
from chaos.setting import Setting
from chaos.target import Entry

EVENTS, RATE, WINDOW, WINDOWS = 400, 200.0, 4.0, 4
WORKERS = 8


class Look(NamedTuple):
    """Probes of each window, and requests that came while none was allowed."""

    probes: Sequence[int]
    others: int


def run(setting: Setting) -> list[Figure]:
    """It stays down for some windows; then every process of the hub is killed inside of one."""
    target = setting.target()
    hub = setting.hub(target, HUB_WORKERS=f"high={WORKERS}", CIRCUIT_BREAKER_TIMEOUT=str(WINDOW))
    target.mode("503", "crm")
    with Clients(hub, EVENTS, RATE) as clients:
        clients.finish(60)
    windows = setting.of(WINDOWS, 2)
    _wait_for_probes(hub, windows)
    killed_at, victims = now(), [name for name in hub.pids() if hub.kill(name)]
    time.sleep(WINDOW / 2)
    _wait_for_probes(hub, windows + 1)
    before = _look(hub, target.entries())
    early = _early(hub, target.entries(), killed_at)
    target.mode("ok", "crm")
    until(lambda: hub.count("deliveries", "status = 'sent'") == EVENTS, 60, "all sent", 0.2)
    return [
        Figure("windows looked at", len(before.probes), at_least(windows + 1)),
        Figure("probes in a window, at least", min(before.probes), exactly(1)),
        Figure("probes in a window, at most", max(before.probes), exactly(1)),
        Figure("requests beside the probes", before.others, NONE),
        Figure("process groups killed at once", len(victims), at_least(WORKERS)),
        Figure("requests before the window was over after that", early, NONE),
        Figure("messages used up by it", hub.count("dead_letters"), NONE),
    ]


def _moves(hub: Hub) -> Sequence[tuple[int, str]]:
    """When the breaker moved, and to what."""
    rows = hub.query("SELECT at, after FROM breaker_moves WHERE system = 'crm' ORDER BY id")
    return [(row.at, row.after) for row in rows]


def _wait_for_probes(hub: Hub, wanted: int) -> None:
    """Until so many windows have ended in a failed probe."""

    def failed() -> int:
        return sum(after == "open" for _, after in _moves(hub)) - 1

    until(lambda: failed() >= wanted, 30 + WINDOW * (wanted + 1), f"{wanted} failed probes", 0.1)


def _look(hub: Hub, entries: Sequence[Entry]) -> Look:
    """A probe is what arrives between a move to half open and the move back."""
    moves = _moves(hub)
    arrivals = [each.at for each in entries if each.system == "crm"]
    spans = [
        (begun, ended) for (begun, state), (ended, _) in pairwise(moves) if state == "half_open"
    ]
    probes = [sum(begun <= at <= ended for at in arrivals) for begun, ended in spans]
    # What was in flight when it first opened has landed before the first window is over.
    first = moves[0][0] + round(WINDOW * 500)
    after = [at for at in arrivals if at > first and at <= moves[-1][0]]
    return Look(probes, len(after) - sum(probes))


def _early(hub: Hub, entries: Sequence[Entry], killed_at: int) -> int:
    """Requests after the kill, before the time of the breaker that was open then was over."""
    opened = max(at for at, state in _moves(hub) if state == "open" and at <= killed_at)
    allowed = opened + round(WINDOW * 1000)
    return sum(each.system == "crm" and killed_at < each.at < allowed for each in entries)
