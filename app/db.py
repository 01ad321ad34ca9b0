"""The database: engine set-up, the one way to write (`transaction`), and identifiers in blocks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from operator import itemgetter
from typing import Any

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    BigInteger,
    Dialect,
    Integer,
    MetaData,
    String,
    bindparam,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from app import sqlite_writes
from app.facts import Fact
from app.pipeline import after_commit, within

# SQLite only counts up rows whose key is exactly INTEGER.
BigId = BigInteger().with_variant(Integer, "sqlite")
BLOCK = 1_000

Row = Mapping[str, Any]


class Base(DeclarativeBase):
    """Base of every model; constraint names are fixed so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


db = SQLAlchemy(model_class=Base)


class IdBlock(Base):
    """How far the identifiers of a table have been handed out."""

    __tablename__ = "id_blocks"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    next_id: Mapped[int] = mapped_column(BigInteger)


def init_app(app: Flask) -> None:
    """Bind the engine of the settings to the application."""
    settings = app.extensions["settings"]
    app.config["SQLALCHEMY_DATABASE_URI"] = settings.sqlalchemy_url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = _engine_options(settings.sqlalchemy_url)
    if settings.sqlalchemy_url.startswith("sqlite"):
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    db.init_app(app)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            sqlite_writes.tune(db.engine)


def _engine_options(url: str) -> dict[str, Any]:
    """Pool sizes and time limits per kind of database."""
    if url.startswith("sqlite"):
        sizes = {"pool_size": 32, "max_overflow": 32}
        return {
            "connect_args": {"timeout": sqlite_writes.BUSY_SECONDS},
            "pool_use_lifo": True,
            **sizes,
        }
    options: dict[str, Any] = {"pool_size": 16, "max_overflow": 16, "pool_timeout": 5}
    if url.startswith("postgresql"):
        limits = "-c lock_timeout=5000 -c idle_in_transaction_session_timeout=30000"
        options["connect_args"] = {"connect_timeout": 3, "options": limits}
    else:
        options["connect_args"] = {"connect_timeout": 3, "charset": "utf8mb4"}
        options["isolation_level"] = "READ COMMITTED"
    return options


@dataclass
class Tx:
    """A transaction under way: its connection and the facts told in it."""

    connection: Connection
    facts: list[Fact] = field(default_factory=list)

    @property
    def session(self) -> Session:
        """An ORM session on this transaction; flush it, never commit it."""
        if self._session is None:
            self._session = Session(bind=self.connection, expire_on_commit=False)
        return self._session

    _session: Session | None = None

    def tell(self, fact: Fact) -> None:
        """Say what happened: followers inside the transaction run now, the others after commit."""
        self.facts.append(fact)
        within(self, fact)


@contextmanager
def transaction(*, durable: bool = True, patient: bool = True) -> Iterator[Tx]:
    """Write in one transaction; facts told in it reach the queues only once it is committed.

    `durable=False` (claims and outcomes) may lose the last commits in a power cut: the work is
    then done again, never lost. `patient=False`: Busy where SQLite has another writer right now.
    """
    with db.engine.connect() as plain:
        connection = plain.execution_options(writes=True, durable=durable, patient=patient)
        with connection.begin():
            if not durable and connection.dialect.name == "postgresql":
                connection.exec_driver_sql("SET LOCAL synchronous_commit TO OFF")
            tx = Tx(connection)
            try:
                yield tx
                if tx._session is not None:
                    tx._session.flush()
            finally:
                if tx._session is not None:
                    tx._session.close()
    after_commit(tx.facts)


def insert_missing(c: Connection, model: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, leaving alone those whose key is there already (also if stored meanwhile)."""
    if not rows:
        return
    if c.dialect.name in ("mysql", "mariadb"):
        c.execute(insert(model).prefix_with("IGNORE"), list(rows))
    elif c.dialect.name == "postgresql":
        c.execute(postgresql.insert(model).on_conflict_do_nothing(), list(rows))
    else:
        c.execute(sqlite.insert(model).on_conflict_do_nothing(), list(rows))


def insert_plain(
    c: Connection, model: type[Base], rows: Sequence[Row], unless: tuple[str, ...] = ()
) -> int:
    """Insert rows of plain values that all name every column with a default; how many were new.

    Rows whose columns `unless` are taken already (also meanwhile) are left out. Hot paths only:
    the values go to the driver as they are, which costs a tenth of what SQLAlchemy's way does.
    """
    if not rows:
        return 0
    text, in_order = _written(c.dialect, model, tuple(rows[0]), unless)
    given = [in_order(row) for row in rows] if in_order else list(rows)
    return c.exec_driver_sql(text, given).rowcount


@lru_cache(maxsize=256)
def _written(
    dialect: Dialect, model: type[Base], columns: tuple[str, ...], unless: tuple[str, ...]
) -> tuple[str, Callable[[Row], Any] | None]:
    """The statement as text, and what brings a row's values into its order (None: by name)."""
    statement: Any = insert(model)
    if unless and dialect.name in ("mysql", "mariadb"):
        statement = statement.prefix_with("IGNORE")
    elif unless:
        kind = postgresql if dialect.name == "postgresql" else sqlite
        statement = kind.insert(model).on_conflict_do_nothing(index_elements=unless)
    compiled = statement.compile(dialect=dialect, column_keys=list(columns))
    return str(compiled), itemgetter(*compiled.positiontup) if compiled.positional else None


def update_plain(c: Connection, model: type[Base], rows: Sequence[Row]) -> None:
    """Write plain values to rows by their `id`, the same columns of each; hot paths only."""
    if not rows:
        return
    text, in_order = _changed(c.dialect, model, tuple(rows[0]))
    c.exec_driver_sql(text, [in_order(row) for row in rows] if in_order else list(rows))


@lru_cache(maxsize=256)
def _changed(
    dialect: Dialect, model: type[Base], columns: tuple[str, ...]
) -> tuple[str, Callable[[Row], Any] | None]:
    """As `_written`, for an update by `id`."""
    table: Any = model.__table__
    values: Any = {name: bindparam(name) for name in columns if name != "id"}
    statement = update(table).where(table.c.id == bindparam("id")).values(values)
    compiled: Any = statement.compile(dialect=dialect)
    return str(compiled), itemgetter(*compiled.positiontup) if compiled.positional else None


@contextmanager
def reading() -> Iterator[Connection]:
    """A connection for reads with Core, outside the request's ORM session."""
    with db.engine.connect() as connection:
        yield connection


class _Blocks:
    """Identifiers of hot tables, taken from the database a block at a time (hi/lo).

    Knowing the id before the insert lets one executemany write events, deliveries and the bodies
    that carry the event's id. A restart leaves the rest of a block unused.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._free: dict[tuple[str, str], list[range]] = {}

    def take(self, name: str, count: int) -> list[int]:
        key = (str(db.engine.url), name)
        with self._lock:
            ranges = self._free.setdefault(key, [])
            taken: list[int] = []
            while len(taken) < count:
                if not ranges:
                    ranges.append(_reserve(name, max(BLOCK, count - len(taken))))
                head = ranges[0]
                want = count - len(taken)
                taken.extend(head[:want])
                ranges[0] = head[want:]
                if not ranges[0]:
                    ranges.pop(0)
            return taken


def _reserve(name: str, count: int) -> range:
    """Move the table's mark by `count` in a transaction of its own."""
    with transaction() as tx:
        return ids_within(tx.connection, name, count)


def ids_within(c: Connection, name: str, count: int) -> range:
    """Fresh identifiers where a transaction is under way (SQLite has no second one beside it)."""
    moved = c.execute(
        update(IdBlock).where(IdBlock.name == name).values(next_id=IdBlock.next_id + count)
    )
    if moved.rowcount != 1:
        raise LookupError(f"no identifiers are kept for {name!r}: is the database migrated?")
    end: int = c.execute(select(IdBlock.next_id).where(IdBlock.name == name)).scalar_one()
    return range(end - count, end)


_blocks = _Blocks()


def new_ids(name: str, count: int) -> list[int]:
    """`count` fresh identifiers of the table; call it before the transaction that uses them."""
    return _blocks.take(name, count) if count else []
