"""What an audit entry changed, field by field."""

from __future__ import annotations

import json
from typing import Any


def differences(before: Any, after: Any) -> list[tuple[str, str | None, str | None]]:
    """(field, before, after) of all that differs; None where a side has no such field."""
    old, new = _flat(before), _flat(after)
    return [
        (name, old.get(name), new.get(name))
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    ]


def _flat(value: Any, path: str = "") -> dict[str, str]:
    """Every leaf of a JSON value by its dotted path; null is no value."""
    if value is None:
        return {}
    if isinstance(value, dict) and value:
        found: dict[str, str] = {}
        for key, item in value.items():
            found |= _flat(item, f"{path}.{key}" if path else str(key))
        return found
    return {path: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}
