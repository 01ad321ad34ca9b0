"""Scopes of API keys: `events:write`, `dlq:*`, `*`."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

# What a key without further wishes may do: all that the runbook's curl lines need.
DEFAULT = ("events:*", "dlq:*", "sync:*", "overview:*", "breakers:*")
_SCOPE = re.compile(r"\*|[a-z_]{1,40}:(\*|[a-z_]{1,40})")


def malformed(wanted: Iterable[str]) -> list[str]:
    """Those that are no scopes at all."""
    return [scope for scope in wanted if not _SCOPE.fullmatch(scope)]


def allow(granted: Collection[str], needed: str) -> bool:
    """Whether the scopes of a key cover the one that is needed."""
    area = needed.partition(":")[0]
    return "*" in granted or f"{area}:*" in granted or needed in granted
