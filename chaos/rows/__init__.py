"""The promises, each a module of its own; the order here is the order of the table."""

from __future__ import annotations

from collections.abc import Callable

from chaos.figures import Figure
from chaos.rows import (
    backup,
    big,
    breaker,
    commits,
    database,
    deploy,
    herd,
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
    "redis": redis_away.run,
    "deploy": deploy.run,
    "schedulers": schedulers.run,
    "locked": database.locked,
    "killed": database.killed,
    "backup": backup.run,
}
