"""Source paths: dots into nested objects and lists, `*` for every item of one."""

from collections.abc import Callable

from app.mappings.rules.work import Work
from app.numbers import whole

WILDCARD = "*"
_NESTING = (dict, list)

Segment = tuple[str, int | None]
Path = tuple[Segment, ...]
Read = Callable[[object, Work], object]


def compile_path(text: str) -> Read:
    """Read the path once; the function then gives the value at it, or None where one is missing.

    The value is paid for out of the work; TooMuchWork where that is not enough.
    """
    path = parse_path(text)
    keys = [key for key, _ in path]
    if WILDCARD not in keys:
        return _field(*path[0]) if len(path) == 1 else _single(path)
    place = keys.index(WILDCARD)
    before, rest = path[:place], path[place + 1 :]
    return lambda payload, work: work.take(_lookup_each(lookup(payload, before), rest, work))


def parse_path(text: str) -> Path:
    """Split `items.0.name` into segments, each with its list index where it is one."""
    return tuple((segment, _index(segment)) for segment in text.split("."))


def lookup(payload: object, path: Path) -> object:
    """The value at a path without wildcards, or None where anything on the way is missing."""
    value = payload
    for key, index in path:
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list) and index is not None and index < len(value):
            value = value[index]
        else:
            return None
    return value


def _single(path: Path) -> Read:
    return lambda payload, work: work.take(lookup(payload, path))


def _field(key: str, index: int | None) -> Read:
    """The nearest and most frequent path: one key of the payload itself."""
    single = _single(((key, index),))

    def read(payload: object, work: Work) -> object:
        return work.take(payload.get(key)) if isinstance(payload, dict) else single(payload, work)

    return read


def _lookup_each(value: object, rest: Path, work: Work) -> list[object] | None:
    """The rest of the path in every item; a further wildcard gives one flat list.

    Segment by segment for all items at once: item by item, each wildcard would copy again what
    those behind it found.
    """
    if not isinstance(value, _NESTING):
        return None
    layer = _children(value)
    work.visit(len(layer))
    for key, index in rest:
        if key == WILDCARD:
            groups = [_children(item) for item in layer if isinstance(item, _NESTING)]
            layer = [item for group in groups for item in group]
            work.visit(len(layer), len(groups))
        else:
            layer = [
                item.get(key) if isinstance(item, dict) else _item(item, index) for item in layer
            ]
            work.visit(len(layer))
    return layer


def _children(value: dict[str, object] | list[object]) -> list[object]:
    return list(value.values()) if isinstance(value, dict) else value


def _item(value: object, index: int | None) -> object:
    if index is None or not isinstance(value, list) or index >= len(value):
        return None
    return value[index]


def _index(segment: str) -> int | None:
    """Only canonical numbers index lists: `0` and `12`, but not `01`, `-1` or `²`."""
    return None if segment != "0" and segment.startswith("0") else whole(segment)
