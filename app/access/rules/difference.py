"""What an audit entry changed, field by field."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from app.numbers import whole


class Absent:
    """Stands where a side has no such field."""


ABSENT = Absent()


def differences(before: Any, after: Any) -> list[tuple[str, Any, Any]]:
    """(field, before, after) of all that differs; ABSENT where a side has no such field.

    A field that is null beside one that is absent is no difference.
    """
    old, new = dict(_leaves(before)), dict(_leaves(after))
    return [
        (name, old.get(name, ABSENT), new.get(name, ABSENT))
        for name in sorted({*old, *new}, key=_place)
        if not _same(old.get(name), new.get(name))
    ]


def _same(one: Any, other: Any) -> bool:
    """Equal as JSON, where true is not 1."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _place(path: str) -> list[tuple[int, str]]:
    """Sorts by names, places of a list by number."""
    places = [(whole(part), part) for part in path.split(".")]
    return [(-1, part) if place is None else (place, "") for place, part in places]


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf of a JSON value by its dotted path; a list of plain values is one leaf."""
    if isinstance(value, dict) and value:
        inner = value.items()
    elif isinstance(value, list) and any(isinstance(each, dict) for each in value):
        inner = {str(place): each for place, each in enumerate(value)}.items()
    else:
        if value is not None or path:
            yield path, value
        return
    for name, each in inner:
        yield from _leaves(each, f"{path}.{name}" if path else str(name))
