"""The two shifts of a day: when their checklists are due, late and missed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from app import clock
from app.monitoring.rules import days
from app.schedules import Schedule

MORNING, EVENING = "morning", "evening"
TIMES = {MORNING: "08:00", EVENING: "18:00"}
LABELS = {MORNING: "Verificação matinal", EVENING: "Verificação vespertina"}
SCHEDULE = Schedule(tuple(TIMES.values()))
LATE_MS = 30 * clock.MINUTE
# A hub that was off longer than this starts anew; nobody reads a month of empty lists.
MOST_MISSED = 14

OPEN, LATE, MISSED, SIGNED = "open", "late", "missed", "signed"


@dataclass(frozen=True, slots=True)
class Shift:
    """One shift of one day (the operation's calendar); `due_at` and `next_at` (ms) bound it."""

    day: date
    name: str
    due_at: int
    next_at: int


def current(now: int, zone: ZoneInfo) -> Shift:
    """The shift that has begun last."""
    due_at = SCHEDULE.latest(now, zone)
    began = clock.to_datetime(due_at, zone)
    name = next(name for name, time in TIMES.items() if time == f"{began:%H:%M}")
    return Shift(began.date(), name, due_at, SCHEDULE.next(due_at, zone))


def evening_before(now: int, zone: ZoneInfo) -> int:
    """When the evening shift before the present day began (ms)."""
    return Schedule((TIMES[EVENING],)).latest(days.today(now, zone), zone)


def since(last_due: int | None, now: int, zone: ZoneInfo) -> list[Shift]:
    """Shifts begun after the last known one, oldest first; only the present one at the start."""
    found = [current(now, zone)]
    while last_due is not None and len(found) < MOST_MISSED:
        before = current(found[0].due_at - 1, zone)
        if before.due_at <= last_due:
            break
        found.insert(0, before)
    return [shift for shift in found if last_due is None or shift.due_at > last_due]


def state(due_at: int, created_at: int, signed_at: int | None, now: int, zone: ZoneInfo) -> str:
    """open · late: 30 min after it was due and there · missed: the next shift began · signed."""
    if signed_at is not None:
        return SIGNED
    if now >= SCHEDULE.next(due_at, zone):
        return MISSED
    return LATE if now >= max(due_at, created_at) + LATE_MS else OPEN
