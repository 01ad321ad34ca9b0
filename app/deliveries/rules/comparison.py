"""Two JSON bodies beside each other, line by line: linear in their size, and as long as a page."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from app.access.rules.masking import LONGEST_SHOWN, mask_value

# What a person reads through. A longer comparison names only what differs, each with its path.
MOST_LINES = 400
MOST_CHANGES = 100
# Values looked at; 64 KiB of JSON cannot hold more, and larger bodies hardly ever do.
MOST_COMPARED = 40_000
LONGEST_VALUE = 4_000

_ABSENT = object()
_BRACKETS: dict[type, str] = {dict: "{}", list: "[]"}


class Place(NamedTuple):
    """Where a value stands: its path, the nearest name, and what is written around it."""

    path: tuple[str, ...] = ()
    name: str = ""
    label: str = ""
    tail: str = ""


class Line(NamedTuple):
    """`sign`: " " in both, "-" in the old only, "+" in the new only; a bracket or a value."""

    sign: str
    at: Place
    bracket: str
    value: Any = None


def compare(old: bytes, new: bytes, whole: bool) -> list[tuple[str, str]]:
    """(sign, text) of two bodies, personal data masked unless `whole`.

    Objects are compared by their keys and lists by their places: no search for what moved, which
    takes minutes for a list of a few hundred texts that are alike. Beyond MOST_LINES only the
    changes are listed, with their paths; a line with the sign "…" says how many are left out.
    """
    walk = _Walk()
    walk.compare(_value(old), _value(new), Place())
    if len(walk.found) <= MOST_LINES and walk.left > 0:
        return [(line.sign, _indented(line, whole)) for line in walk.found]
    changes = [line for line in walk.found if line.sign != " " and not line.bracket]
    lines = [
        (line.sign, f"{'.'.join(line.at.path)}: {_text(line, whole)}")
        for line in changes[:MOST_CHANGES]
    ]
    if len(changes) > MOST_CHANGES:
        lines.append(("…", f"e mais {len(changes) - MOST_CHANGES} linhas diferentes"))
    if walk.left <= 0:
        lines.append(("…", f"só os primeiros {MOST_COMPARED} valores foram comparados"))
    return lines


class _Walk:
    """Through both values at once, each part of them once."""

    def __init__(self) -> None:
        self.found: list[Line] = []
        self.left = MOST_COMPARED

    def compare(self, old: Any, new: Any, at: Place) -> None:
        """Add the lines of what stands at one place; _ABSENT where a side has nothing there."""
        if self.left <= 0:
            return
        self.left -= 1
        sides = [side for side in (old, new) if side is not _ABSENT]
        sign = " " if len(sides) == 2 else "+" if old is _ABSENT else "-"
        kind = type(sides[0])
        alike = all(type(side) is kind for side in sides)
        if alike and kind in _BRACKETS and any(sides):
            self._nested(kind, (_parts(old), _parts(new)), at, sign)
        elif alike and sides[0] == sides[-1]:
            self.found.append(Line(sign, at, "", sides[0]))
        else:
            self.compare(old, _ABSENT, at)
            self.compare(_ABSENT, new, at)

    def _nested(
        self, kind: type, parts: tuple[dict[str, Any], dict[str, Any]], at: Place, sign: str
    ) -> None:
        old, new = parts
        keys = _merged(old, new)
        self.found.append(Line(sign, at._replace(tail=""), _BRACKETS[kind][0]))
        for n, key in enumerate(keys, 1):
            label = f"{json.dumps(key, ensure_ascii=False)}: " if kind is dict else ""
            name, tail = key if kind is dict else at.name, "," if n < len(keys) else ""
            inner = Place((*at.path, key), name, label, tail)
            self.compare(old.get(key, _ABSENT), new.get(key, _ABSENT), inner)
        self.found.append(Line(sign, at._replace(label=""), _BRACKETS[kind][1]))


def _value(raw: bytes) -> Any:
    """The JSON of a body; the beginning of what is none, as one text."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return raw[:LONGEST_SHOWN].decode(errors="replace")


def _parts(value: Any) -> dict[str, Any]:
    """What is in a value by key or place; nothing where it is absent."""
    if isinstance(value, list):
        return {str(place): each for place, each in enumerate(value[:MOST_COMPARED])}
    return value if isinstance(value, dict) else {}


def _merged(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """The keys of both in the new one's order; those that left stand behind their old neighbour."""
    keys: dict[str, None] = {}
    coming = iter(new)
    for key in old:
        if key in new and key not in keys:
            for other in coming:
                keys[other] = None
                if other == key:
                    break
        keys[key] = None
    return [*keys, *(key for key in coming if key not in keys)]


def _indented(line: Line, whole: bool) -> str:
    text = line.bracket or _text(line, whole)
    return f"{'  ' * len(line.at.path)}{line.at.label}{text}{line.at.tail}"


def _text(line: Line, whole: bool) -> str:
    """A value as JSON, masked where it must be; a very long text only begins."""
    value = line.value
    if isinstance(value, str) and len(value) > LONGEST_VALUE:
        value = f"{value[:LONGEST_VALUE]}…"
    return json.dumps(value if whole else mask_value(value, line.at.name), ensure_ascii=False)
