"""Checklists as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from app import clock
from app.runbook.queries.checklists import Item, Sheet
from app.runbook.rules.checks import Evidence


def sheet_data(sheet: Sheet) -> dict[str, Any]:
    """A checklist with its items."""
    row = sheet.row
    return {
        "id": row.id,
        "day": row.day,
        "shift": row.shift,
        "label": sheet.label,
        "version": row.version,
        "state": sheet.state,
        "due_at": clock.iso(row.due_at),
        "answered": sheet.answered,
        "total": len(sheet.items),
        "signed_at": clock.iso(row.signed_at),
        "signed_by": row.signed_by or None,
        "note": row.note or None,
        "items": [item_data(item) for item in sheet.items],
    }


def item_data(item: Item) -> dict[str, Any]:
    """One item: what the data says, what a person said. `seq` is what commands may name."""
    return {
        "n": item.n,
        "title": item.title,
        "check": item.check,
        "state": item.state,
        "seq": item.seq,
        "by": item.by_name or None,
        "at": clock.iso(item.at),
        "note": item.note or None,
        "evidence": _evidence(item.last),
        "evidence_at_its_time": _evidence(item.first),
    }


def _evidence(found: Evidence | None) -> dict[str, Any] | None:
    return None if found is None else {**asdict(found), "at": clock.iso(found.at)}
