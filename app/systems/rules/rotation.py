"""Secrets being changed: which of them count, and for how long the old one does."""

from __future__ import annotations

from app.clock import DAY

# The partner has this long to learn the new secret.
GRACE = DAY


def valid_secrets(
    current: str, previous: str, previous_until: int | None, now: int
) -> tuple[str, ...]:
    """The secrets that count now (ms), newest first; an empty one never does."""
    found = [current] if current else []
    if previous and previous_until is not None and now < previous_until:
        found.append(previous)
    return tuple(found)
