"""The rows of the table, each a module of its own; the order here is the order of the table."""

from __future__ import annotations

from collections.abc import Callable

from bench.figures import Figure
from bench.rows import (
    bulk,
    deliveries,
    intake,
    isolation,
    latency,
    memory,
    pages,
    retries,
    start,
    sync,
)
from bench.setting import Setting

ROWS: dict[str, Callable[[Setting], list[Figure]]] = {
    "deliveries": deliveries.run,
    "latency": latency.run,
    "intake": intake.run,
    "retries": retries.run,
    "isolation": isolation.run,
    "memory": memory.run,
    "bulk": bulk.run,
    "sync": sync.run,
    "pages": pages.run,
    "start": start.run,
}
