"""Keep the course of the measures: a value a minute, summed up by the hour."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import case, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from app import clock
from app.db import Tx, reading, transaction
from app.monitoring.models import SlaSample

MINUTE, HOUR = "m", "h"
KEEP = {MINUTE: 2 * clock.DAY, HOUR: 35 * clock.DAY}


def is_sampled(minute: int) -> bool:
    """Whether the minute (ms) has its values already."""
    query = select(SlaSample.at).where(SlaSample.at == minute, SlaSample.step == MINUTE).limit(1)
    with reading() as c:
        return c.execute(query).first() is not None


def store_sample(values: Mapping[str, float], minute: int) -> bool:
    """Write the minute's values; False where another scheduler has written them."""
    rows = [
        {"measure": name, "step": MINUTE, "at": minute, "n": 1, "total": value, "low": value,
         "high": value}
        for name, value in sorted(values.items())
    ]  # fmt: skip
    try:
        with transaction(durable=False) as tx:
            tx.connection.execute(insert(SlaSample), rows)
            for name, value in sorted(values.items()):
                _add_to_hour(tx, name, minute - minute % clock.HOUR, value)
    except IntegrityError:
        return False
    return True


def _add_to_hour(tx: Tx, measure: str, hour: int, value: float) -> None:
    key = {"measure": measure, "step": HOUR, "at": hour}
    same = [getattr(SlaSample, name) == each for name, each in key.items()]
    values = {
        "n": SlaSample.n + 1,
        "total": SlaSample.total + value,
        "low": case((SlaSample.low > value, value), else_=SlaSample.low),
        "high": case((SlaSample.high < value, value), else_=SlaSample.high),
    }
    if not tx.connection.execute(update(SlaSample).where(*same).values(values)).rowcount:
        first = {"n": 1, "total": value, "low": value, "high": value}
        tx.connection.execute(insert(SlaSample).values(**key, **first))


def forget_samples(now: int) -> int:
    """Delete values older than they are kept; how many."""
    gone = 0
    for step, keep in KEEP.items():
        old = delete(SlaSample).where(SlaSample.step == step, SlaSample.at < now - keep)
        with transaction(durable=False) as tx:
            gone += tx.connection.execute(old).rowcount
    return gone
