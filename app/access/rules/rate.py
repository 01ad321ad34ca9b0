"""A moving window with a burst, as the generic cell rate algorithm (one number per caller)."""

from __future__ import annotations

import math
from dataclasses import dataclass

SECOND = 1_000_000
SLACK = 60 * SECOND


@dataclass(frozen=True, slots=True)
class Limit:
    """`per_minute` sustained, `burst` at once after a pause; times in microseconds."""

    per_minute: int
    burst: int

    @property
    def step(self) -> float:
        """What one request costs."""
        return 60 * SECOND / self.per_minute

    @property
    def room(self) -> float:
        """How far ahead of the time a caller may be."""
        return self.step * self.burst


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether to answer, and what the headers say; `ahead` is the use of the room in µs."""

    limit: Limit
    allowed: bool
    ahead: float

    @property
    def remaining(self) -> int:
        """Requests that would pass right now; never more than the limit announced."""
        free = (self.limit.room - self.ahead) / self.limit.step
        return max(0, min(self.limit.per_minute, math.floor(free + 1e-6)))

    @property
    def reset_after(self) -> int:
        """Seconds until the whole burst is free again."""
        return math.ceil(self.ahead / SECOND)

    @property
    def retry_after(self) -> int:
        """Seconds until the next request passes, at least 1."""
        return max(1, math.ceil((self.ahead + self.limit.step - self.limit.room) / SECOND))


def take(limit: Limit, mark: float, now: float) -> tuple[Verdict, float]:
    """Decide one request; `mark` is when the caller is even again. Returns the new mark too."""
    # A mark further ahead than possible comes from a clock that has stepped.
    if mark < now or mark > now + limit.room + SLACK:
        mark = now
    if mark + limit.step - now > limit.room + 1:
        return Verdict(limit, False, mark - now), mark
    return Verdict(limit, True, mark + limit.step - now), mark + limit.step
