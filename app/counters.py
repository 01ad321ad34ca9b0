"""Counters kept as the work is recorded, so that no page counts rows.

Writers only append tallies in their own transaction: no shared row, no contention, and a rolled
back transaction counts nothing. `fold` sums them up into minute and hour buckets (or the one
bucket of a gauge). Readers add what is folded to what is not, so figures are exact at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import BigInteger, Index, String, and_, delete, func, insert, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.db import Base, BigId, Tx, insert_plain

GAUGE, MINUTE, HOUR = "g", "m", "h"
KEEP = {MINUTE: 2 * clock.DAY, HOUR: 400 * clock.DAY}
FOLD_AT_ONCE = 5_000


class Count(NamedTuple):
    """`n` more of `metric` for the pair of labels; `gauge` ones have no time."""

    metric: str
    a: str
    b: str
    n: int = 1
    gauge: bool = False


class Tally(Base):
    """An increment not folded yet; `bucket` is the minute (ms), 0 for a gauge."""

    __tablename__ = "tallies"
    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    metric: Mapped[str] = mapped_column(String(40))
    bucket: Mapped[int] = mapped_column(BigInteger)
    a: Mapped[str] = mapped_column(String(80))
    b: Mapped[str] = mapped_column(String(80))
    n: Mapped[int] = mapped_column(BigInteger)


class Folded(Base):
    """The sum of a metric in a bucket of a minute (m), an hour (h) or for ever (g)."""

    __tablename__ = "counters"
    __table_args__ = (Index("ix_counters_step_bucket", "step", "bucket"),)
    metric: Mapped[str] = mapped_column(String(40), primary_key=True)
    step: Mapped[str] = mapped_column(String(1), primary_key=True)
    bucket: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    a: Mapped[str] = mapped_column(String(80), primary_key=True)
    b: Mapped[str] = mapped_column(String(80), primary_key=True)
    n: Mapped[int] = mapped_column(BigInteger)


def add(connection: Connection, counts: Iterable[Count], now: int) -> None:
    """Append the increments, equal ones added up; part of the caller's transaction."""
    summed: Counter[tuple[str, int, str, str]] = Counter()
    minute = now - now % clock.MINUTE
    for count in counts:
        summed[count.metric, 0 if count.gauge else minute, count.a, count.b] += count.n
    rows = [
        {"metric": metric, "bucket": bucket, "a": a, "b": b, "n": n}
        for (metric, bucket, a, b), n in summed.items()
        if n
    ]
    insert_plain(connection, Tally, rows)


def fold(tx: Tx) -> int:
    """Sum a batch of tallies into their buckets; how many were folded.

    Exactly the rows read are deleted, so rows that commit late behind higher ids are not lost.
    """
    c = tx.connection
    chosen = select(Tally).order_by(Tally.id).limit(FOLD_AT_ONCE)
    if c.dialect.name != "sqlite":
        chosen = chosen.with_for_update(skip_locked=True)
    rows = c.execute(chosen).all()
    sums: Counter[tuple[str, str, int, str, str]] = Counter()
    for row in rows:
        for step, bucket in _buckets(row.bucket):
            sums[row.metric, step, bucket, row.a, row.b] += row.n
    for key, n in sorted(sums.items()):
        _increase(c, key, n)
    if rows:
        c.execute(delete(Tally).where(Tally.id.in_([row.id for row in rows])))
    return len(rows)


def _buckets(minute: int) -> tuple[tuple[str, int], ...]:
    """Where a tally counts."""
    if not minute:
        return ((GAUGE, 0),)
    return ((MINUTE, minute), (HOUR, minute - minute % clock.HOUR))


def _increase(c: Connection, key: tuple[str, str, int, str, str], n: int) -> None:
    """Add to a bucket, making it on first use (two writers: the primary key decides)."""
    values = dict(zip(("metric", "step", "bucket", "a", "b"), key, strict=True))
    same = and_(*(getattr(Folded, column) == value for column, value in values.items()))
    if not c.execute(update(Folded).where(same).values(n=Folded.n + n)).rowcount:
        c.execute(insert(Folded).values(**values, n=n))


def total(c: Connection, metric: str, since: int, until: int | None = None) -> int:
    """Sum of a metric from `since` (rounded down to the hour where over two hours ago)."""
    return sum(by_labels(c, metric, since, until).values())


def by_labels(
    c: Connection, metric: str, since: int, until: int | None = None
) -> dict[tuple[str, str], int]:
    """Sums by the pair of labels; minutes for short ranges, hours for long ones."""
    step = MINUTE if clock.now() - since <= 2 * clock.HOUR else HOUR
    size = clock.MINUTE if step == MINUTE else clock.HOUR
    start, end = since - since % size, until or 1 << 62
    sums: Counter[tuple[str, str]] = Counter()
    for table, extra in ((Folded, (Folded.step == step,)), (Tally, ())):
        query = (
            select(table.a, table.b, func.sum(table.n))
            .where(table.metric == metric, table.bucket >= start, table.bucket < end, *extra)
            .group_by(table.a, table.b)
        )
        for a, b, n in c.execute(query):
            sums[a, b] += int(n)
    return dict(sums)


def series(c: Connection, metric: str, step: str, since: int) -> dict[int, int]:
    """Sum per bucket since `since` (ms); buckets without a row are missing, not zero."""
    size = clock.MINUTE if step == MINUTE else clock.HOUR
    sums: Counter[int] = Counter()
    folded = select(Folded.bucket, func.sum(Folded.n)).where(
        Folded.metric == metric, Folded.step == step, Folded.bucket >= since - since % size
    )
    for bucket, n in c.execute(folded.group_by(Folded.bucket)):
        sums[bucket] += int(n)
    fresh = select(Tally.bucket, func.sum(Tally.n)).where(
        Tally.metric == metric, Tally.bucket >= since - since % size
    )
    for bucket, n in c.execute(fresh.group_by(Tally.bucket)):
        sums[bucket - bucket % size] += int(n)
    return dict(sums)


def gauges(c: Connection, metric: str) -> dict[tuple[str, str], int]:
    """Present value of a gauge by its labels, zeros left out."""
    sums: Counter[tuple[str, str]] = Counter()
    for table, extra in ((Folded, (Folded.step == GAUGE, Folded.n != 0)), (Tally, ())):
        query = (
            select(table.a, table.b, func.sum(table.n))
            .where(table.metric == metric, table.bucket == 0, *extra)
            .group_by(table.a, table.b)
        )
        for a, b, n in c.execute(query):
            sums[a, b] += int(n)
    return {key: n for key, n in sums.items() if n}


def gauge(c: Connection, metric: str) -> int:
    """Present value of a gauge over all labels."""
    return sum(gauges(c, metric).values())


def forget(tx: Tx, now: int) -> int:
    """Delete buckets older than their resolution is kept."""
    gone = 0
    for step, keep in KEEP.items():
        old = delete(Folded).where(Folded.step == step, Folded.bucket < now - keep)
        gone += tx.connection.execute(old).rowcount
    return gone
