"""What a row of the chaos run gives: figures held against what was promised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

KEPT, BROKEN, TOLD = "kept", "broken", ""


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound: `sign` is one of = ≤ ≥."""

    sign: str
    bound: float

    def reached(self, value: float) -> bool:
        """Whether the value keeps the promise."""
        if self.sign == "=":
            return value == self.bound
        return value <= self.bound if self.sign == "≤" else value >= self.bound

    def __str__(self) -> str:
        return f"{self.sign} {self.bound:,g}"


def exactly(bound: float) -> Goal:
    """Neither more nor less."""
    return Goal("=", bound)


def at_most(bound: float) -> Goal:
    """Less is better."""
    return Goal("≤", bound)


def at_least(bound: float) -> Goal:
    """More is better."""
    return Goal("≥", bound)


NONE = exactly(0)


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table; without a goal it only tells.

    `timed`: it hangs on the speed of the machine as well, so a test must not assert it.
    """

    what: str
    value: float
    goal: Goal | None = None
    unit: str = ""
    timed: bool = False

    def verdict(self) -> str:
        """Whether the promise was kept; '' where nothing is promised."""
        if self.goal is None:
            return TOLD
        return KEPT if self.goal.reached(self.value) else BROKEN

    def as_json(self, row: str) -> dict[str, Any]:
        """The line as it is stored."""
        return {
            "row": row,
            "what": self.what,
            "value": round(self.value, 3),
            "unit": self.unit,
            "goal": str(self.goal or ""),
            "verdict": self.verdict(),
        }


def yes(what: str, holds: bool) -> Figure:
    """Something that must simply be so."""
    return Figure(what, int(holds), exactly(1), "yes" if holds else "no")
