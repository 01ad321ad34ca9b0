"""Which dead letters died of the same thing."""

from __future__ import annotations

import hashlib
import re

_IDS = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}|\b[0-9a-f]{16,}\b", re.IGNORECASE)
_EMAILS = re.compile(r"[^\s@\"'<>]{1,64}@[^\s@\"'<>]{1,190}")
_QUOTED = re.compile(r"\"[^\"]{1,200}\"")
_NUMBERS = re.compile(r"\d+")
_SPACE = re.compile(r"\s+")
LONGEST = 200


def normalise(message: str) -> str:
    """A message without what differs from case to case: ids, addresses, quoted values, numbers."""
    text = message[: 4 * LONGEST]
    for pattern, stand_in in ((_IDS, "#"), (_EMAILS, "@"), (_QUOTED, '"…"'), (_NUMBERS, "#")):
        text = pattern.sub(stand_in, text)
    return _SPACE.sub(" ", text).strip()[:LONGEST]


def key(system: str, status: int | None, error_class: str, message: str) -> str:
    """Identifier of the cause: equal for deaths that one decision can serve."""
    parts = "\0".join((system, str(status or ""), error_class, normalise(message)))
    return hashlib.sha256(parts.encode()).hexdigest()[:20]
