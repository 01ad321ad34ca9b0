"""Medians, spreads and percentiles; nothing here knows what was measured."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

__all__ = ["median", "percentile", "ratios", "rounded"]


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that `percent` of all values do not exceed (nearest rank)."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Round by round, so that what disturbed the machine in a round disturbs both sides."""
    return [mine / other for mine, other in zip(ours, theirs, strict=True) if other]


def rounded(value: float) -> float:
    """Three significant digits: more would be noise."""
    if value == 0:
        return 0.0
    kept = round(value, 2 - math.floor(math.log10(abs(value))))
    return float(f"{kept:.10g}")
