"""Source paths: dots into nested objects and lists, `*` for every item of one."""

from app.numbers import whole

WILDCARD = "*"

Segment = tuple[str, int | None]
Path = tuple[Segment, ...]


def parse_path(text: str) -> Path:
    """Split `items.0.name` into segments, each with its list index where it is one."""
    return tuple((segment, _index(segment)) for segment in text.split("."))


def lookup(payload: object, path: Path) -> object:
    """The value at the path, or None where anything on the way is missing."""
    value = payload
    for position, (key, index) in enumerate(path):
        if key == WILDCARD:
            return _lookup_each(value, path[position + 1 :])
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list) and index is not None and index < len(value):
            value = value[index]
        else:
            return None
    return value


def _lookup_each(value: object, rest: Path) -> list[object] | None:
    """The rest of the path in every item; a further wildcard gives one flat list."""
    if not isinstance(value, list | dict):
        return None
    items = value if isinstance(value, list) else value.values()
    found = [lookup(item, rest) for item in items]
    if not any(key == WILDCARD for key, _ in rest):
        return found
    return [item for group in found if isinstance(group, list) for item in group]


def _index(segment: str) -> int | None:
    """Only canonical numbers index lists: `0` and `12`, but not `01`, `-1` or `²`."""
    return None if segment != "0" and segment.startswith("0") else whole(segment)
