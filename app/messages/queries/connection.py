"""Reads of the WhatsApp connection."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.engine import Connection

from app import clock
from app.messages.models import WhatsAppState

DOWN_MS = 15 * clock.MINUTE
DUE_MS = 5 * clock.DAY
# It is asked every minute; what it said is believed so long.
BELIEVED_MS = 3 * clock.MINUTE


@dataclass(frozen=True, slots=True)
class State:
    """The connection as last told; times in ms, `since` when it came or went, `checked_at` when
    the provider last answered. `connected` is None while it never said anything; `since` is then
    when it was first asked."""

    connected: bool | None
    since: int
    checked_at: int | None
    error: str
    check_error: str
    due_at: int | None
    payment_status: str

    def down_for(self, now: int) -> int:
        """How long it is known to have been away (ms), 0 while connected."""
        return max(now - self.since, 0) if self.connected is False else 0

    def silent_since(self, now: int) -> int | None:
        """Since when the provider does not answer, None while what it said can be believed."""
        if not self.check_error:
            return None
        heard = self.since if self.checked_at is None else self.checked_at
        return heard if now - heard > BELIEVED_MS else None

    def is_critical(self, now: int) -> bool:
        """Away for longer than a reconnect takes."""
        return self.down_for(now) > DOWN_MS

    def lapses(self, now: int) -> bool:
        """Whether the account must be paid within days."""
        return self.due_at is not None and self.due_at - now < DUE_MS


def state(c: Connection) -> State | None:
    """What is known of the connection; None before anything was."""
    row = c.execute(select(WhatsAppState.__table__)).first()
    if row is None:
        return None
    return State(
        row.connected and row.smartphone_connected if row.told else None,
        row.since,
        row.checked_at,
        row.error,
        row.check_error,
        # A hub before this one stored whatever the provider said.
        clock.told(row.due_at),
        row.payment_status,
    )
