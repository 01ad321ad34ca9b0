"""How a careful bulk lets messages out: a probe, a canary, then a ramp; when it stops."""

from __future__ import annotations

PROBE, CANARY, FIRST_STEP, LARGEST_STEP = 1, 3, 10, 500
# On the ramp single messages may fail of their own content.
MOST_FAILED_PERCENT = 5


def stage(total: int) -> str:
    """Where it is, by how many it has let out."""
    if total <= PROBE:
        return "probe"
    return "canary" if total <= PROBE + CANARY else "ramp"


def next_size(total: int) -> int:
    """How many leave next: as many as have got through, within limits."""
    if total < PROBE:
        return PROBE
    return CANARY if total <= PROBE else max(FIRST_STEP, min(total, LARGEST_STEP))


def relapsed(total: int, failed: int) -> bool:
    """Whether so many failures say that the cause is still there."""
    if stage(total) != "ramp":
        return failed > 0
    return 100 * failed > MOST_FAILED_PERCENT * total
