"""The database from the inside: size, tables, indexes, what its server is doing; for § 3.7."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import Any

from flask import current_app
from sqlalchemy import inspect, select, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from app import clock, slow_statements
from app.monitoring.models import SlaSample
from app.monitoring.queries.samples import samples
from app.monitoring.rules import bands
from app.monitoring.rules.chart import Chart, chart
from app.monitoring.rules.snapshot import Snapshot
from app.runbook.rules.procedures.shape import Fact, number

LARGE = ("integration_events", "deliveries", "attempts", "dead_letters", "tallies", "counters")
OVER_TIME_MS = 3 * clock.HOUR
MB = 1024 * 1024
PROCESSES = {
    "postgresql": "SELECT pid AS id, state, extract(epoch FROM now() - query_start) AS seconds, "
    "left(query, 300) AS statement FROM pg_stat_activity WHERE datname = current_database() "
    "AND pid <> pg_backend_pid() AND state <> 'idle' ORDER BY query_start LIMIT 20",
    "mysql": "SELECT id, command AS state, time AS seconds, left(info, 300) AS statement "
    "FROM information_schema.processlist WHERE command <> 'Sleep' ORDER BY time DESC LIMIT 20",
}


@dataclass(frozen=True, slots=True)
class Course:
    """A drawing and the times (ms) at its edges."""

    drawn: Chart
    since: int
    until: int


def database_data(c: Connection, seen: Snapshot) -> dict[str, Any]:
    """All that the steps of the procedure look at."""
    settings = current_app.extensions["settings"]
    disk = shutil.disk_usage(settings.data_dir)
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    free = 100 * disk.free / disk.total
    facts = [
        Fact("Banco", c.dialect.name),
        Fact("Tamanho", _megabytes(_size(c))),
        Fact("Disco livre", f"{number(round(free))} % ({_megabytes(disk.free)})"),
        Fact("Carga por processador", number(round(load, 2))),
    ]
    return {
        "database": facts,
        "slow": slow_statements.recent(settings.data_dir),
        "latency": latencies(c, seen.now - OVER_TIME_MS),
        "course": course(c, seen),
        "processes": server_processes(c),
        "indexes": indexes(c),
        "disk_free_percent": round(free),
        "load_per_cpu": load,
    }


def course(c: Connection, seen: Snapshot) -> Course:
    """The same as a drawing with the bands behind."""
    until = seen.now - seen.now % clock.MINUTE + clock.MINUTE
    found = samples(c, (bands.LATENCY,), "m", until - OVER_TIME_MS).get(bands.LATENCY, [])
    limits = seen.limits[bands.LATENCY]
    drawn = chart(found, until - OVER_TIME_MS, until, clock.MINUTE, limits)
    return Course(drawn, until - OVER_TIME_MS, until)


def latencies(c: Connection, since: int) -> list[tuple[int, float, float]]:
    """(at, middle, worst) in tens of minutes, the newest first."""
    query = select(SlaSample.at, SlaSample.total, SlaSample.n, SlaSample.high).where(
        SlaSample.measure == bands.LATENCY, SlaSample.step == "m", SlaSample.at >= since
    )
    span = 10 * clock.MINUTE
    sums: dict[int, tuple[float, int, float]] = {}
    for at, total, n, high in c.execute(query):
        start = at - at % span
        before = sums.get(start, (0.0, 0, 0.0))
        sums[start] = (before[0] + total, before[1] + n, max(before[2], high))
    return [(at, total / n, high) for at, (total, n, high) in sorted(sums.items(), reverse=True)]


def _size(c: Connection) -> int | None:
    """Bytes that the database takes, where it tells."""
    questions = {
        "sqlite": "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
        "postgresql": "SELECT pg_database_size(current_database())",
    }
    found = _ask(c, questions.get(c.dialect.name, ""))
    return int(found[0][0]) if found else None


def server_processes(c: Connection) -> list[Any]:
    """What the server is doing now; nothing where there is no server (SQLite)."""
    return _ask(c, PROCESSES.get(c.dialect.name, ""))


def _ask(c: Connection, question: str) -> list[Any]:
    """The rows; none where the question is not answered."""
    if not question:
        return []
    try:
        return list(c.execute(text(question)).all())
    except SQLAlchemyError:
        return []


def indexes(c: Connection) -> dict[str, list[str]]:
    """Indexes of the large tables."""
    found = inspect(c)
    return {
        name: [f"{index['name']} ({', '.join(str(x) for x in index['column_names'])})"
               for index in found.get_indexes(name)]
        for name in LARGE
        if found.has_table(name)
    }  # fmt: skip


def _megabytes(count: int | None) -> str:
    return "não informado" if count is None else f"{number(round(count / MB, 1))} MB"
