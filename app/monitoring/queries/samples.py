"""Reads of the kept course of the measures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from sqlalchemy import select
from sqlalchemy.engine import Connection

from app.monitoring.models import SlaSample
from app.monitoring.rules.chart import Sample


def samples(
    c: Connection, measures: Iterable[str], step: str, since: int
) -> Mapping[str, list[Sample]]:
    """Samples of each measure since a time (ms), oldest first."""
    query = (
        select(SlaSample.measure, SlaSample.at, SlaSample.n, SlaSample.total,
               SlaSample.low, SlaSample.high)
        .where(SlaSample.measure.in_(list(measures)), SlaSample.step == step,
               SlaSample.at >= since)
        .order_by(SlaSample.measure, SlaSample.at)
    )  # fmt: skip
    found: dict[str, list[Sample]] = defaultdict(list)
    for row in c.execute(query):
        found[row.measure].append(Sample(row.at, row.total / row.n, row.low, row.high))
    return found
