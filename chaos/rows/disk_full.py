"""The disk is full, with database, Redis and log: 503, never a false 2xx, healed by itself."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from typing import Any

from bench.processes import until
from chaos.clients import Clients, Sent
from chaos.figures import NONE, Figure, at_least, at_most, yes
from chaos.reconcile import reconcile
from chaos.room import Limit, SmallDisk, may_mount
from chaos.setting import Setting
from chaos.target_server import ACCEPTED

RATE = 40.0
FULL, AROUND = 12, 5
SETTLE = 90.0


def run(setting: Setting) -> list[Figure]:
    """A worker is killed while there is no room: it must come back all the same."""
    target = setting.target()
    place = setting.place()
    pids: list[int] = []
    data = place / "data"
    disk = SmallDisk(data) if may_mount() else Limit(data, lambda: pids)
    # The log too: a line that cannot be written stops nothing.
    (place / "log").symlink_to(data / "log")
    setting.also(closing(disk))
    hub = setting.hub(target, folder=place)
    books = setting.place()
    full = setting.of(FULL, 6)
    seconds = full + 2.0 * AROUND + 6
    with Clients(hub, 0, RATE, seconds=seconds, folder=books) as clients:
        time.sleep(AROUND)
        target.mode("503", "crm")
        time.sleep(1)
        pids += [pid for name, pid in hub.pids().items() if name != "redis"]
        pids += [process.pid for process in hub.family() if process.ppid() in pids]
        disk.take()
        began = now()
        target.mode("ok", "crm")
        killed = hub.kill("retry.1")
        time.sleep(full)
        ended = now()
        disk.give()
        sent = clients.finish(seconds + SETTLE)
    until(lambda: hub.pids().get("retry.1") not in (None, killed), 20, "the killed worker again")
    until(lambda: not hub.count("deliveries", "status = 'pending'"), SETTLE, "all delivered")
    entries = target.entries()
    account = reconcile(sent, entries)
    back = min(t.ended for t in sent.tries if t.id is not None and t.ended >= ended) - ended
    accepted = sorted(e.at for e in entries if e.outcome == ACCEPTED)
    on = min(at for at in accepted if at >= ended) - ended
    return [
        Figure("answers 503 while it was full", _within(sent, began, ended, 503), at_least(1)),
        Figure("other answers than 2xx and 503", _other(sent), NONE),
        Figure("accepted again after there was room", back / 1000, at_most(5), "s"),
        Figure("delivered again after there was room", on / 1000, at_most(5), "s"),
        Figure("acknowledged, but not stored", _false(sent, hub.query(
            "SELECT id FROM integration_events")), NONE),
        Figure("lost", len(account.lost), NONE),
        Figure("duplicated", len(account.again)),
        yes("the database is intact", hub.intact()),
    ]  # fmt: skip


def _within(sent: Sent, began: int, ended: int, status: int) -> int:
    return sum(t.status == status and began <= t.ended <= ended for t in sent.tries)


def _other(sent: Sent) -> int:
    return sum(not 200 <= t.status < 300 and t.status != 503 for t in sent.tries)


def _false(sent: Sent, rows: Sequence[Any]) -> int:
    stored = {row[0] for row in rows}
    return len(set(sent.ids.values()) - stored)


def now() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000
