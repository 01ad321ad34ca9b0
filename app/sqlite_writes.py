"""How SQLite is written to: in WAL, by one writer at a time, as durable as was promised."""

from __future__ import annotations

import sqlite3
import threading
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError

from app import clock

BUSY_SECONDS = 5
# Seconds between two tries to begin: short at first, as most writes are.
FIRST_PAUSE, SLOWER, LONGEST_PAUSE = 0.0005, 1.1, 0.01
# Pages are twice as large as usual (in a database that is made, an old one keeps its own): a row
# with its body takes a third of a small one, and the log of changes is written page by page.
PRAGMAS = ("page_size=8192", "journal_mode=WAL", "foreign_keys=ON", "synchronous=FULL")

# A sleep to an absolute time, as time.sleep makes it, fails where the process's clock is stepped
# from outside (libfaketime); a wait that nobody ends does not.
_never = threading.Event()


class Busy(Exception):
    """Somebody else writes, and one was not to wait for it."""


def tune(engine: Engine) -> None:
    """WAL, and transactions that we begin ourselves: IMMEDIATE to write, FULL where promised."""

    @event.listens_for(engine, "connect")
    def _connected(raw: Any, record: Any) -> None:
        raw.isolation_level = None
        cursor = raw.cursor()
        for pragma in PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()
        record.info["durable"] = True

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        options = connection.get_execution_options()
        durable = options.get("durable", True)
        # A pragma inside a transaction is ignored, so it is said before BEGIN and only on change.
        if connection.info.get("durable") is not durable:
            connection.exec_driver_sql(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
            connection.info["durable"] = durable
        if not options.get("writes"):
            connection.exec_driver_sql("BEGIN")
        else:
            _begin(connection, BUSY_SECONDS if options.get("patient", True) else 0)


def _begin(connection: Connection, seconds: float) -> None:
    """Begin to write, waiting so long for another writer; Busy at once where that is none.

    SQLite's own wait sleeps up to a tenth of a second for one that writes a millisecond.
    """
    connection.exec_driver_sql("PRAGMA busy_timeout=0")
    try:
        end, pause = clock.monotonic() + seconds, FIRST_PAUSE
        while not _has_begun(connection, last=seconds > 0 and clock.monotonic() >= end):
            if not seconds:
                raise Busy("somebody else writes")
            _never.wait(pause)
            pause = min(pause * SLOWER, LONGEST_PAUSE)
    finally:
        connection.exec_driver_sql(f"PRAGMA busy_timeout={round(BUSY_SECONDS * 1000)}")


def _has_begun(connection: Connection, last: bool) -> bool:
    """One try; at the last one somebody else's write is an error."""
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    except OperationalError as problem:
        if last or getattr(problem.orig, "sqlite_errorcode", None) != sqlite3.SQLITE_BUSY:
            raise
        return False
    return True
