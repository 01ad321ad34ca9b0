"""The hash that ties an audit entry to the one before it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

FIELDS = (
    "id",
    "at",
    "actor_kind",
    "actor_id",
    "actor_name",
    "action",
    "target",
    "why",
    "before_json",
    "after_json",
    "address",
    "previous_hash",
)


def entry_hash(entry: Mapping[str, Any]) -> str:
    """SHA-256 over all that an entry says, the previous hash included."""
    text = json.dumps([entry[field] for field in FIELDS], ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
