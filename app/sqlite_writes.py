"""How SQLite is written to: in WAL, by one writer at a time, as durable as was promised."""

from __future__ import annotations

import sqlite3
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError

BUSY_SECONDS = 5
# Pages are twice as large as usual (in a database that is made, an old one keeps its own): a row
# with its body takes a third of a small one, and the log of changes is written page by page.
PRAGMAS = ("page_size=8192", "journal_mode=WAL", "foreign_keys=ON", "synchronous=FULL")


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
        elif options.get("patient", True):
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            _begin_at_once(connection)


def _begin_at_once(connection: Connection) -> None:
    """Begin to write, or Busy: SQLite itself would sleep until the other writer is done."""
    connection.exec_driver_sql("PRAGMA busy_timeout=0")
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    except OperationalError as problem:
        if getattr(problem.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
            raise Busy("somebody else writes") from None
        raise
    finally:
        connection.exec_driver_sql(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")
