"""What an event may look like, and when two of them are the same."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from msgspec import Struct

from app.payloads import canonical_json, dump_json

LONGEST_TYPE = 80
LONGEST_VIA = 80
EVENT_TYPE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+){1,4}", re.ASCII)
SOURCE = re.compile(r"[a-z][a-z0-9_-]*", re.ASCII)
KEY = re.compile(r"[\x21-\x7e]{1,200}", re.ASCII)
_FIRST_CANONICAL = json.JSONEncoder(sort_keys=True)


class NewEvent(Struct, frozen=True):
    """A validated event that is not stored yet."""

    event_type: str
    source_system: str
    payload: Any
    payload_json: bytes
    raw: bytes
    received_via: str
    idempotency_key: str | None = None
    verified: bool = True

    @property
    def fingerprint(self) -> str:
        """Equal for equal content, whatever the order of its keys."""
        return hashlib.sha256(canonical_json([self.event_type, self.payload])).hexdigest()

    def equals(self, fingerprint: str) -> bool:
        """Whether a stored fingerprint is of the same content (or was, in the first release)."""
        if fingerprint == self.fingerprint:
            return True
        first = _FIRST_CANONICAL.encode([self.event_type, self.payload])
        return fingerprint == hashlib.sha256(first.encode()).hexdigest()


def new_event(
    event_type: str,
    source_system: str,
    payload: Any,
    *,
    raw: bytes,
    via: str,
    key: str | None = None,
    verified: bool = True,
) -> NewEvent:
    """An event ready for intake; Invalid where JSON cannot carry the payload (1e400)."""
    return NewEvent(
        event_type,
        source_system,
        payload,
        dump_json(payload),
        raw,
        via[:LONGEST_VIA],
        key,
        verified,
    )


class Accepted(Struct, frozen=True):
    """What is answered for an event; `repeat` when it was there already. Times in ms."""

    id: int
    event_type: str
    source_system: str
    status: str
    created_at: int
    repeat: bool = False


def status_of(open_count: int, failed_count: int) -> str:
    """State of an event some of whose deliveries have an outcome."""
    if open_count:
        return "processing"
    return "failed" if failed_count else "done"
