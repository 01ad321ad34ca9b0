"""When a sync is late, how long it usually takes, and how a run ends."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from zoneinfo import ZoneInfo

from app import clock
from app.schedules import Schedule

# A slot is taken within a minute; a worker may be busy with other syncs for a while.
LATE_MS = 15 * clock.MINUTE
# A run with nothing moving for so long does not wait for its items any more.
STALLED_MS = 2 * clock.MINUTE


def missed(
    schedule: Schedule, zone: ZoneInfo, last: int | None, since: int, now: int
) -> int | None:
    """The slot (ms) that should have run by now and did not; `last` is the newest run's time.

    Slots from before `since`, when the schedule was installed or resumed, do not count.
    """
    slot = schedule.latest(now - LATE_MS, zone)
    if slot < since or (last is not None and last >= slot):
        return None
    return slot


def usual(durations: Sequence[int]) -> int | None:
    """The usual duration (ms) by those of the last good runs; None while there are too few."""
    return round(median(durations)) if len(durations) >= 3 else None


def reason(failed: int, total: int, first: str) -> str:
    """Why a run counts as failed, for people."""
    what = "itens não foi concluído" if failed == 1 else "itens não foram concluídos"
    return f"{failed} de {total} {what}: {first}".rstrip(": ")[:500]


def recovered(failed: int) -> str:
    """What a run says that became good after all."""
    what = "item foi concluído" if failed == 1 else "itens foram concluídos"
    return f"{failed} {what} em novas tentativas"
