"""The promises, each a module of its own; the order here is the order of the table."""

from __future__ import annotations

from collections.abc import Callable

from chaos.figures import Figure
from chaos.rows import (
    backup,
    big,
    breaker,
    clocks,
    commits,
    database,
    deploy,
    disk_full,
    herd,
    hostile,
    machine_clock,
    migration,
    power,
    redis_away,
    schedulers,
)  # fmt: skip
from chaos.setting import Setting

ROWS: dict[str, Callable[[Setting], list[Figure]]] = {
    "big": big.run,
    "power": power.run,
    "commits": commits.run,
    "breaker": breaker.run,
    "herd": herd.run,
    "clocks": clocks.run,
    "machine": machine_clock.run,
    "disk": disk_full.run,
    "locked": database.locked,
    "killed": database.killed,
    "redis": redis_away.run,
    "hostile": hostile.run,
    "deploy": deploy.run,
    "migration": migration.run,
    "backup": backup.run,
    "schedulers": schedulers.run,
}

# They load the machine, or measure what another row beside them would disturb.
ALONE = frozenset({"big", "power", "herd", "hostile", "machine"})
