"""A chart as SVG numbers: lowest and highest value per slice, bands behind, gaps where none is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app import clock
from app.monitoring.rules.bands import Band

WIDTH, HEIGHT = 600, 120
SLICES = 200


@dataclass(frozen=True, slots=True)
class Sample:
    """Values of a minute or an hour that begins at `at` (ms)."""

    at: int
    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Zone:
    """A band's strip: its top and height in the drawing."""

    level: str
    top: float
    height: float


@dataclass(frozen=True, slots=True)
class Chart:
    """Paths in a box of WIDTH × HEIGHT; `top` and `bottom` are the values at its edges."""

    line: str
    area: str
    zones: tuple[Zone, ...]
    top: float
    bottom: float
    slices: tuple[Sample, ...]


def chart(
    samples: Sequence[Sample], since: int, until: int, step: int, band: Band | None = None
) -> Chart:
    """Samples (oldest first, one a `step` ms) between two times (ms)."""
    size = max(step, (until - since) // SLICES)
    slices = _sliced([s for s in samples if since <= s.at <= until], since, size)
    bottom, top = _edges(slices, band)
    runs = _runs(slices, size + step)

    def x(at: int) -> float:
        return round((min(at + size // 2, until) - since) / (until - since) * WIDTH, 1)

    def y(value: float) -> float:
        inside = min(max(value, bottom), top)
        return round(HEIGHT - (inside - bottom) / (top - bottom) * HEIGHT, 1)

    return Chart(
        " ".join(_path([(x(s.at), y(s.mean)) for s in run]) for run in runs),
        " ".join(_closed(run, x, y) for run in runs if len(run) > 1),
        _zones(band, bottom, top, y) if band else (),
        top,
        bottom,
        tuple(slices),
    )


def place(at: int, since: int, until: int) -> float:
    """Where a moment lies in the drawing, from the left."""
    return round((at - since) / (until - since) * WIDTH, 1)


def _sliced(samples: Sequence[Sample], since: int, size: int) -> list[Sample]:
    """Samples of one slice become one, keeping their extremes."""
    found: dict[int, list[Sample]] = {}
    for sample in samples:
        found.setdefault((sample.at - since) // size, []).append(sample)
    return [
        Sample(
            since + number * size,
            sum(s.mean for s in group) / len(group),
            min(s.low for s in group),
            max(s.high for s in group),
        )
        for number, group in sorted(found.items())
    ]


def _edges(slices: Sequence[Sample], band: Band | None) -> tuple[float, float]:
    """Values at the bottom and the top: the warning limit is always in sight."""
    values = [v for s in slices for v in (s.low, s.high)] or [0.0]
    if band is None:
        return 0.0, max(max(values) * 1.1, 1.0)
    if band.low_is_bad:
        return max(0.0, min(*values, band.critical) - 2), 100.0
    return 0.0, max(max(values) * 1.1, band.warning * 1.2)


def _runs(slices: Sequence[Sample], most: int) -> list[list[Sample]]:
    """Parts without a gap of more than `most` ms."""
    runs: list[list[Sample]] = []
    for one in slices:
        if runs and one.at - runs[-1][-1].at <= most:
            runs[-1].append(one)
        else:
            runs.append([one])
    return runs


def _path(points: Sequence[tuple[float, float]]) -> str:
    """M and L of a line; a lone point becomes a dot."""
    first = f"M{points[0][0]:g} {points[0][1]:g}"
    if len(points) == 1:
        return f"{first}h0.1"
    return first + "L" + " ".join(f"{x:g} {y:g}" for x, y in points[1:])


def _closed(run: Sequence[Sample], x: Callable[[int], float], y: Callable[[float], float]) -> str:
    """The area between the highest and the lowest values of a run."""
    upper = [(x(s.at), y(s.high)) for s in run]
    lower = [(x(s.at), y(s.low)) for s in reversed(run)]
    return _path([*upper, *lower]) + "Z"


def _zones(band: Band, bottom: float, top: float, y: Callable[[float], float]) -> tuple[Zone, ...]:
    """Strips of the warning and the critical band as far as they lie in sight."""
    worst = bottom if band.low_is_bad else top
    strips = (("warning", band.warning, band.critical), ("critical", band.critical, worst))
    zones = []
    for level, one, other in strips:
        ends = sorted((y(one), y(other)))
        if ends[1] > ends[0]:
            zones.append(Zone(level, ends[0], round(ends[1] - ends[0], 1)))
    return tuple(zones)


RANGES: dict[str, tuple[int, str]] = {
    "1h": (clock.HOUR, "m"),
    "6h": (6 * clock.HOUR, "m"),
    "24h": (clock.DAY, "m"),
    "7d": (7 * clock.DAY, "h"),
    "30d": (30 * clock.DAY, "h"),
}
STEPS = {"m": clock.MINUTE, "h": clock.HOUR}
