"""Reading values out of a callback that may hold anything, without ever raising."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app import clock

LONGEST_NUMBER = 20
MOST_IDS = 1_000


def text(values: Mapping[str, Any], *names: str) -> str:
    """The first of these fields that holds text or a number, as text; else ''."""
    for name in names:
        if found := _as_text(values.get(name)):
            return found
    return ""


def texts(values: Mapping[str, Any], *names: str) -> list[str]:
    """The first of these fields as a list of texts, whether it holds one or many."""
    for name in names:
        value = values.get(name)
        many = value[:MOST_IDS] if isinstance(value, list) else [value]
        if found := [one for each in many if (one := _as_text(each))]:
            return found
    return []


def nested(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The object in a field, an empty one for anything else."""
    value = values.get(name)
    return value if isinstance(value, dict) else {}


def flag(values: Mapping[str, Any], *names: str) -> bool:
    """Whether one of these fields says yes."""
    return any(values.get(name) in (True, "true", "1") for name in names)


def moment(values: Mapping[str, Any], *names: str) -> int | None:
    """The first of these fields that is an instant, in ms; seconds are told by magnitude."""
    for name in names:
        number = _as_number(values.get(name))
        if ms := clock.told(number) or clock.told(number, clock.SECOND):
            return ms
    return None


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    if not abs(value) < 10**LONGEST_NUMBER:
        return ""
    return str(int(value)) if value == int(value) else str(value)


def _as_number(value: Any) -> float:
    """A number or one in a text, 0 for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return 0
    try:
        return float(value[:LONGEST_NUMBER] if isinstance(value, str) else value)
    except (ValueError, OverflowError):
        return 0
