"""What a row of the bench gives: figures with their spread, and the goals they are held against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.stats import median, rounded

MISSED, FIRST, THEN = "missed", "first", "then"


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound to reach: at least (`least`) or at most."""

    bound: float
    least: bool = True

    def reached(self, value: float) -> bool:
        """Whether the value is on the right side."""
        return value >= self.bound if self.least else value <= self.bound

    def __str__(self) -> str:
        return f"{'≥' if self.least else '≤'} {self.bound:,g}"


def at_least(bound: float) -> Goal:
    """More is better."""
    return Goal(bound)


def at_most(bound: float) -> Goal:
    """Less is better."""
    return Goal(bound, least=False)


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table: a value per round, in `unit` (`×` for a ratio)."""

    what: str
    unit: str
    values: Sequence[float] = field(repr=False)
    first: Goal | None = None
    then: Goal | None = None

    def verdict(self) -> str:
        """Which of the two goals the median reaches, '' where there is none."""
        value = median(self.values)
        if self.then and self.then.reached(value):
            return THEN
        if self.first and self.first.reached(value):
            return FIRST
        return MISSED if self.first or self.then else ""

    def as_json(self, row: str) -> dict[str, Any]:
        """The line as it is stored."""
        return {
            "row": row,
            "what": self.what,
            "unit": self.unit,
            "median": rounded(median(self.values)),
            "low": rounded(min(self.values)),
            "high": rounded(max(self.values)),
            "rounds": len(self.values),
            "first": str(self.first or ""),
            "then": str(self.then or ""),
            "verdict": self.verdict(),
        }
