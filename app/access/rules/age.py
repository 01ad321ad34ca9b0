"""When an API key is old enough to be replaced (quarterly, runbook 4.1)."""

from __future__ import annotations

from app.clock import DAY

REPLACE_AFTER = 90 * DAY
REMIND_BEFORE = 14 * DAY
OVERLAP_DAYS = 7


def key_state(
    status: str, created_at: int, expires_at: int | None, replaced_by: int | None, now: int
) -> str:
    """revoked, expired, replaced (both work for a while), old, ageing or active."""
    if status == "revoked":
        return "revoked"
    if expires_at is not None and expires_at <= now:
        return "expired"
    if replaced_by is not None:
        return "replaced"
    age = now - created_at
    if age >= REPLACE_AFTER:
        return "old"
    return "ageing" if age >= REPLACE_AFTER - REMIND_BEFORE else "active"


def renewed(created_at: int, expires_at: int | None, wanted: int | None, now: int) -> int | None:
    """When (ms) the key that takes another's place ends; None: when it is revoked.

    `wanted` ms from now, 0: without an end, None: as long as the old one was made for.
    """
    if wanted is None:
        return None if expires_at is None else now + expires_at - created_at
    return now + wanted if wanted else None
