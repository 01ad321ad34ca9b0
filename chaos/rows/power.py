"""The power goes: what is not synced is gone, what was acknowledged is not."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bench.processes import until
from chaos import disk
from chaos.clients import Clients, Sent
from chaos.figures import NONE, Figure, at_least
from chaos.hub import SUPERVISOR, Hub
from chaos.reconcile import reconcile
from chaos.setting import Setting
from chaos.target import Target

EVENTS, RATE, CUTS = 600, 60.0, 200
DATABASE = "hub.db"
FILES = (DATABASE, f"{DATABASE}-wal")


@dataclass
class Found:
    """What was there after the cuts, added up."""

    cuts: int = 0
    lost: int = 0
    unplanned: int = 0
    damaged: int = 0
    forgotten: int = 0
    last: Mapping[str, bytes] = field(default_factory=dict)


def run(setting: Setting) -> list[Figure]:
    """Every process is watched; then the disk is looked at as it was at hundreds of moments."""
    count = setting.of(EVENTS, 200)
    target = setting.target()
    hub, trace, begun = _watched(setting, target)
    with Clients(hub, count, RATE) as clients:
        sent = clients.finish(120)
        until(lambda: hub.count("deliveries", "status = 'sent'") == count, 60, "all sent", 0.2)
    hub.stop()
    until(lambda: not _tracers(hub), 60, "the trace is written to its end")
    found = _look(setting, trace, begun, sent)
    again = _afterwards(setting, target, hub, sent, found.last)
    return [
        Figure("cuts looked at", found.cuts, at_least(setting.of(CUTS, 50))),
        Figure("acknowledged events lost", found.lost, NONE),
        Figure("acknowledged events without their deliveries", found.unplanned, NONE),
        Figure("databases damaged", found.damaged, NONE),
        Figure("on average not yet known as sent (sent again, never lost)",
               found.forgotten / found.cuts),
        Figure("lost after a start on such a disk", again, NONE),
    ]  # fmt: skip


def _watched(setting: Setting, target: Target) -> tuple[Hub, Path, dict[str, bytes]]:
    """A hub whose every write to its database is written down, and what it began with.

    It is prepared and ended first: the preparation writes from a process that nobody watches.
    """
    hub, trace = setting.hub(target, ""), setting.place()
    hub.stop()
    hub.engine.dispose()
    files = [(hub.data / name).resolve() for name in FILES]
    begun = {each.name: each.read_bytes() for each in files if each.exists()}
    hub.words = [*disk.tracing(files, trace), *SUPERVISOR]
    hub.start_again()
    return hub, trace, begun


def _tracers(hub: Hub) -> list[int]:
    """What still writes calls down, in the session of the hub."""
    named = [each.pid for each in psutil.process_iter(["name"]) if each.info["name"] == "strace"]
    return [pid for pid in named if _session(pid) == hub.process.pid]


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return 0


def _look(setting: Setting, trace: Path, begun: Mapping[str, bytes], sent: Sent) -> Found:
    chance = setting.random("power")
    acked = sorted((each.ended + 1, each.id) for each in sent.tries if each.id is not None)
    moments = [acked[chance.randrange(len(acked))][0] / 1000 for _ in range(setting.of(CUTS, 50))]
    found, place = Found(), setting.place()
    for moment, files in disk.cuts(begun, disk.read(trace), moments, chance):
        for name in FILES:
            (place / name).write_bytes(files.get(name, b""))
        _judge(place, {id_ for at, id_ in acked if at / 1000 <= moment}, found)
        found.last = files
    return found


def _judge(place: Path, acked: set[int | None], found: Found) -> None:
    """Open what is left, as the product would."""
    (place / f"{DATABASE}-shm").unlink(missing_ok=True)
    found.cuts += 1
    try:
        with closing(sqlite3.connect(place / DATABASE)) as c:
            found.damaged += c.execute("PRAGMA integrity_check").fetchall() != [("ok",)]
            there = {row[0] for row in c.execute("SELECT id FROM integration_events")}
            planned = dict(c.execute("SELECT event_id, status FROM deliveries"))
    except sqlite3.DatabaseError:
        found.damaged += 1
        found.lost += len(acked)
        return
    found.lost += len(acked - there)
    found.unplanned += len(acked & there - planned.keys())
    found.forgotten += sum(1 for id_ in acked & planned.keys() if planned[id_] != "sent")


def _afterwards(
    setting: Setting, target: Target, before: Hub, sent: Sent, files: Mapping[str, bytes]
) -> int:
    """Start the product on what the last cut left; how many acknowledged events never arrive."""
    place = setting.place()
    ignore = shutil.ignore_patterns("hub.db*", "redis", "*.sock", "supervisor.pid", "*.json")
    shutil.copytree(before.data, place / "data", ignore=ignore)
    for name in FILES:
        (place / "data" / name).write_bytes(files.get(name, b""))
    hub = setting.hub(target, "", folder=place)
    there = {row.id for row in hub.query("SELECT id FROM integration_events")}
    until(lambda: not hub.count("deliveries", "status = 'pending'"), 60, "the rest is sent", 0.2)
    kept = Sent([each for each in sent.tries if each.id is None or each.id in there])
    return len(reconcile(kept, target.entries()).lost)
