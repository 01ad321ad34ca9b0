"""When a measure reaches its next band at the pace of the last hour: a line, where one fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from app import clock
from app.monitoring.rules.bands import CRITICAL, NORMAL, UNKNOWN, WARNING, Band, Level

WINDOW = clock.HOUR
FEWEST = 10
# Below this share of the movement explained, the line says nothing.
FIT = 0.5
FURTHEST = clock.DAY

Point = tuple[int, float]
Reached = Literal["normal", "warning", "critical"]


@dataclass(frozen=True, slots=True)
class Forecast:
    """The band it moves to, and in how many ms."""

    level: Reached
    in_ms: int


def forecast(points: Sequence[Point], band: Band) -> Forecast | None:
    """What the last points (ms, value; oldest first) lead to within a day; None for nothing."""
    fitted = _line(points)
    if fitted is None:
        return None
    slope, now = fitted
    level = band.of(now)
    towards = _next(level, slope, band)
    if towards is None or level == UNKNOWN:
        return None
    reached, limit = towards
    wait = (limit - now) / slope
    return Forecast(reached, round(wait)) if 0 < wait <= FURTHEST else None


def _next(level: Level, slope: float, band: Band) -> tuple[Reached, float] | None:
    """The band and limit that lie ahead in the direction of the slope."""
    worsens = (slope < 0) if band.low_is_bad else (slope > 0)
    if worsens:
        ahead: dict[Level, tuple[Reached, float]] = {
            NORMAL: (WARNING, band.warning),
            WARNING: (CRITICAL, band.critical),
        }
        return ahead.get(level)
    back: dict[Level, tuple[Reached, float]] = {
        WARNING: (NORMAL, band.warning),
        CRITICAL: (WARNING, band.critical),
    }
    return back.get(level)


def _line(points: Sequence[Point]) -> tuple[float, float] | None:
    """Least squares: slope per ms and the line's value at the last point."""
    if len(points) < FEWEST:
        return None
    last = points[-1][0]
    xs = [at - last for at, _ in points]
    ys = [value for _, value in points]
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    spread_x = sum((x - mean_x) ** 2 for x in xs)
    spread_y = sum((y - mean_y) ** 2 for y in ys)
    if not spread_x or not spread_y:
        return None
    slope = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)) / spread_x
    if slope * slope * spread_x / spread_y < FIT:
        return None
    return slope, mean_y - slope * mean_x
