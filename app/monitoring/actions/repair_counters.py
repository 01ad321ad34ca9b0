"""Bring gauges that drifted back to what the rows say."""

from __future__ import annotations

from collections.abc import Sequence

from app import counters
from app.counters import Count
from app.db import transaction
from app.monitoring.queries.drift import Drift


def repair_counters(drifts: Sequence[Drift], now: int) -> None:
    """Tally the differences.

    Gauges are sums of increments, so what others count between the look and this stays right.
    """
    with transaction() as tx:
        counters.add(
            tx.connection,
            [Count(d.metric, d.a, d.b, d.counted - d.kept, gauge=True) for d in drifts],
            now,
        )
