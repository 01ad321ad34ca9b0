"""The promises, each a module of its own; the order here is the order of the table."""

from __future__ import annotations

from collections.abc import Callable

from chaos.figures import Figure
from chaos.rows import big, deploy, herd, redis_away, schedulers
from chaos.setting import Setting

ROWS: dict[str, Callable[[Setting], list[Figure]]] = {
    "big": big.run,
    "herd": herd.run,
    "redis": redis_away.run,
    "deploy": deploy.run,
    "schedulers": schedulers.run,
}
