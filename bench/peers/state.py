"""The state that every peer keeps: a job row, an attempt row, and a commit for each step.

SQLite runs as the hub's claims and outcomes do (WAL, synchronous=NORMAL, BEGIN IMMEDIATE).
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import psycopg

TABLES = (
    (
        "CREATE TABLE jobs (id INTEGER PRIMARY KEY, event_type TEXT, body {bytes}, status TEXT, "
        "claimed_at BIGINT, attempts INTEGER, created_at BIGINT, finished_at BIGINT)"
    ),
    "CREATE INDEX jobs_status ON jobs (status, created_at)",
    (
        "CREATE TABLE attempts (id {id}, job_id INTEGER, started_at BIGINT, latency_ms INTEGER, "
        "status INTEGER, headers TEXT, response {bytes})"
    ),
    "CREATE INDEX attempts_job ON attempts (job_id)",
)
CLAIM = (
    "UPDATE jobs SET status = 'claimed', claimed_at = ?, attempts = attempts + 1 "
    "WHERE id = ? AND status = 'pending' RETURNING id, event_type, body, created_at"
)
ATTEMPT = (
    "INSERT INTO attempts (job_id, started_at, latency_ms, status, headers, response) "
    "VALUES (?, ?, ?, ?, ?, ?)"
)
OUTCOME = "UPDATE jobs SET status = ?, finished_at = ? WHERE id = ?"


class Job(NamedTuple):
    """What is to be sent."""

    id: int
    event_type: str
    body: bytes
    created_at: int

    @property
    def event_id(self) -> int:
        """Here one event is one delivery."""
        return self.id


def now() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


class State:
    """One database; each thread has its own connection, each call is one transaction."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.postgresql = url.startswith("postgresql")
        self._local = threading.local()

    def claim(self, job_id: int) -> Job | None:
        """Take the job, unless somebody has it already."""
        (row,) = self._commit([(CLAIM, (now(), job_id))])
        return Job(row[0], row[1], bytes(row[2]), row[3]) if row else None

    def finish(
        self, job_id: int, started: int, status: int, headers: Mapping[str, str], body: bytes
    ) -> None:
        """The attempt and the outcome."""
        ended = now()
        attempt = (job_id, started, ended - started, status, json.dumps(dict(headers)), body[:8192])
        outcome = ("sent" if 200 <= status < 300 else "failed", ended, job_id)
        self._commit([(ATTEMPT, attempt), (OUTCOME, outcome)])

    def create(self, bodies: Iterable[bytes], event_type: str) -> None:
        """Make the tables and one pending job for each body."""
        kinds = {"bytes": "BYTEA", "id": "BIGSERIAL PRIMARY KEY"}
        if not self.postgresql:
            kinds = {"bytes": "BLOB", "id": "INTEGER PRIMARY KEY"}
        self._commit([(table.format(**kinds), ()) for table in TABLES])
        insert = "INSERT INTO jobs VALUES (?, ?, ?, 'pending', NULL, 0, ?, NULL)"
        rows = [(n, event_type, body, now()) for n, body in enumerate(bodies, 1)]
        self._commit([(insert, row) for row in rows])

    def done(self) -> tuple[int, int]:
        """Jobs sent, and attempts written."""
        counts = self._commit(
            [("SELECT count(*) FROM jobs WHERE status = 'sent'", ()),
             ("SELECT count(*) FROM attempts WHERE status = 200", ())]
        )  # fmt: skip
        return counts[0][0], counts[1][0]

    def _commit(self, statements: Sequence[tuple[str, tuple[Any, ...]]]) -> list[Any]:
        """Run the statements in one transaction; the first row of each, or None."""
        connection = self._connection()
        if self.postgresql:
            with connection.transaction():
                return [
                    _first(connection.execute(sql.replace("?", "%s"), values))
                    for sql, values in statements
                ]
        connection.execute("BEGIN IMMEDIATE")
        found = [_first(connection.execute(sql, values)) for sql, values in statements]
        connection.execute("COMMIT")
        return found

    def _connection(self) -> Any:
        if not hasattr(self._local, "connection"):
            self._local.connection = self._connect()
        return self._local.connection

    def _connect(self) -> Any:
        if self.postgresql:
            return psycopg.connect(self.url, autocommit=True)
        connection = sqlite3.connect(self.url, timeout=30, isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL"):
            connection.execute(f"PRAGMA {pragma}")
        return connection


def _first(cursor: Any) -> Any:
    return cursor.fetchone() if cursor.description else None
