"""Reads of the checklists: one with its items, the days, the hand-over, those that are late."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.engine import Connection

from app.errors import NotFound
from app.paging import AnyRow
from app.runbook.models.checklists import (
    Checklist,
    ChecklistItem,
    ChecklistTemplate,
    ChecklistTick,
)
from app.runbook.rules import shifts
from app.runbook.rules.checks import CHECKS, Check, Evidence, from_json
from app.runbook.rules.templates import SEEDS, Line
from app.runbook.rules.ticks import OPEN

DAYS_AT_ONCE = 30


@dataclass(frozen=True, slots=True)
class Item:
    """A line with what the data and people say. `first` was found at its time, `last` is newest."""

    n: int
    check: str
    title: str
    effect: str
    first: Evidence | None
    last: Evidence | None
    seq: int
    state: str
    by_name: str
    at: int | None
    note: str
    ticks: tuple[AnyRow, ...] = ()

    @property
    def about(self) -> Check:
        """The question to the data behind it."""
        return CHECKS.get(self.check, CHECKS["manual"])


@dataclass(frozen=True, slots=True)
class Sheet:
    """A checklist as a page shows it."""

    row: AnyRow
    state: str
    items: tuple[Item, ...]

    @property
    def label(self) -> str:
        """Name of its shift."""
        return shifts.LABELS[self.row.shift]

    @property
    def answered(self) -> int:
        """Items that a person said something about."""
        return sum(item.state != OPEN for item in self.items)

    @property
    def open(self) -> bool:
        """Whether it still takes answers."""
        return self.state in (shifts.OPEN, shifts.LATE)


_SHEET = select(Checklist.__table__, ChecklistTemplate.version).join(
    ChecklistTemplate, ChecklistTemplate.id == Checklist.template_id
)


def find_id(c: Connection, shift: shifts.Shift) -> int | None:
    """The id of a shift's checklist, None while it is not made."""
    query = select(Checklist.id).where(
        Checklist.day == shift.day.isoformat(), Checklist.shift == shift.name
    )
    return c.execute(query).scalar_one_or_none()


def last_due(c: Connection) -> int | None:
    """When the newest checklist was due."""
    query = select(Checklist.due_at).order_by(Checklist.due_at.desc()).limit(1)
    return c.execute(query).scalar_one_or_none()


def sheet(c: Connection, checklist_id: int, now: int, zone: ZoneInfo) -> Sheet:
    """One checklist with its items and what was said about them. NotFound."""
    row = c.execute(_SHEET.where(Checklist.id == checklist_id)).one_or_none()
    if row is None:
        raise NotFound("Checklist not found")
    return _sheets(c, [row], now, zone)[0]


def day_sheets(c: Connection, day: str, now: int, zone: ZoneInfo) -> list[Sheet]:
    """The checklists of a day, morning first."""
    query = _SHEET.where(Checklist.day == day).order_by(Checklist.due_at)
    return _sheets(c, c.execute(query).all(), now, zone)


def _sheets(c: Connection, rows: Sequence[AnyRow], now: int, zone: ZoneInfo) -> list[Sheet]:
    ids = [row.id for row in rows]
    ticks: dict[tuple[int, int], list[AnyRow]] = defaultdict(list)
    said = select(ChecklistTick.__table__).where(ChecklistTick.checklist_id.in_(ids))
    for tick in c.execute(said.order_by(ChecklistTick.seq)):
        ticks[tick.checklist_id, tick.n].append(tick)
    items: dict[int, list[Item]] = defaultdict(list)
    lines = select(ChecklistItem.__table__).where(ChecklistItem.checklist_id.in_(ids))
    for line in c.execute(lines.order_by(ChecklistItem.n)):
        items[line.checklist_id].append(_item(line, ticks[line.checklist_id, line.n]))
    return [Sheet(row, _state(row, now, zone), tuple(items[row.id])) for row in rows]


def _item(row: AnyRow, ticks: Sequence[AnyRow]) -> Item:
    return Item(
        row.n, row.check, row.title, row.effect, from_json(row.first_json),
        from_json(row.last_json), row.seq, row.state, row.by_name, row.at, row.note, tuple(ticks),
    )  # fmt: skip


def _state(row: AnyRow, now: int, zone: ZoneInfo) -> str:
    return shifts.state(row.due_at, row.created_at, row.signed_at, now, zone)


@dataclass(frozen=True, slots=True)
class Brief:
    """A checklist in the history: how far it got."""

    row: AnyRow
    state: str
    answered: int
    total: int
    failed: int


def history(c: Connection, before: str, now: int, zone: ZoneInfo) -> list[tuple[str, list[Brief]]]:
    """Days with their checklists, newest first; only days before the one given ('' for all)."""
    days = select(Checklist.day).distinct().order_by(Checklist.day.desc()).limit(DAYS_AT_ONCE)
    if before:
        days = days.where(Checklist.day < before)
    found = list(c.execute(days).scalars())
    rows = c.execute(_SHEET.where(Checklist.day.in_(found)).order_by(Checklist.due_at)).all()
    by_day: dict[str, list[Brief]] = {day: [] for day in found}
    for each in _sheets(c, rows, now, zone):
        failed = sum(item.state == "failed" for item in each.items)
        brief = Brief(each.row, each.state, each.answered, len(each.items), failed)
        by_day[each.row.day].append(brief)
    return list(by_day.items())


def unread_note(c: Connection, present: int) -> AnyRow | None:
    """The last hand-over before the present checklist, as long as nobody said that it was read.

    A shift that nobody worked does not hide it: whoever comes next sees it.
    """
    query = select(Checklist.__table__).where(
        Checklist.id != present, Checklist.signed_at.is_not(None)
    )
    row = c.execute(query.order_by(Checklist.due_at.desc()).limit(1)).one_or_none()
    return row if row is not None and row.note and not row.read_at else None


def late_checklists(c: Connection, now: int, zone: ZoneInfo) -> list[tuple[AnyRow, str]]:
    """Since the last signature: the newest when it is late, and all that were missed.

    They stop being told when one is signed: then somebody has looked.
    """
    query = select(Checklist.__table__).order_by(Checklist.due_at.desc())
    query = query.limit(shifts.MOST_MISSED)
    found: list[tuple[AnyRow, str]] = []
    for row in c.execute(query):
        state = _state(row, now, zone)
        if state == shifts.SIGNED:
            break
        if state in (shifts.LATE, shifts.MISSED):
            found.append((row, state))
    return found


@dataclass(frozen=True, slots=True)
class Template:
    """The newest version of a shift's template; version 0 is the runbook's own, not stored yet."""

    id: int | None
    shift: str
    version: int
    lines: tuple[Line, ...]


def template(c: Connection, shift: str) -> Template:
    """What the shift's next checklist will ask."""
    query = select(ChecklistTemplate.__table__).where(ChecklistTemplate.shift == shift)
    row = c.execute(query.order_by(ChecklistTemplate.version.desc()).limit(1)).one_or_none()
    if row is None:
        return Template(None, shift, 0, SEEDS[shift])
    return Template(row.id, shift, row.version, tuple(_lines(row.items_json)))


def template_versions(c: Connection, shift: str) -> list[tuple[AnyRow, list[Line]]]:
    """All versions of a shift's template, newest first."""
    query = select(ChecklistTemplate.__table__).where(ChecklistTemplate.shift == shift)
    rows = c.execute(query.order_by(ChecklistTemplate.version.desc()).limit(50))
    return [(row, _lines(row.items_json)) for row in rows]


def _lines(stored: str) -> list[Line]:
    return [Line(**line) for line in json.loads(stored)]
