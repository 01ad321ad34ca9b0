"""Scopes of API keys: `events:write`, `dlq:*`, `*`."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from app.access.rules.abilities import MANAGEMENT

# What a key without further wishes may do: all that the runbook's curl lines need, and to read back
# what its system has sent.
DEFAULT = (
    "events:*", "dlq:*", "sync:*", "overview:*", "breakers:*", "personal_data:read",
)  # fmt: skip
# Doors behind these open to managers only: nobody else hands them out with a key.
MANAGERS = ("sla:write",)
_SCOPE = re.compile(r"\*|[a-z_]{1,40}:(\*|[a-z_]{1,40})")


def malformed(wanted: Iterable[str]) -> list[str]:
    """Those that are no scopes at all."""
    return [scope for scope in wanted if not _SCOPE.fullmatch(scope)]


def beyond(wanted: Iterable[str], level: int) -> list[str]:
    """Those that somebody of this level may not give to a key: it would open more than they can."""
    if level >= MANAGEMENT:
        return []
    return [scope for scope in wanted if any(allow((scope,), each) for each in MANAGERS)]


def allow(granted: Collection[str], needed: str) -> bool:
    """Whether the scopes of a key cover the one that is needed."""
    area = needed.partition(":")[0]
    return "*" in granted or f"{area}:*" in granted or needed in granted
