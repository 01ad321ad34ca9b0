"""Turns at the database: nobody queues behind another writer, nor sleeps for it in SQLite."""

from __future__ import annotations

from app import clock

# Seconds between two tries while somebody else writes, and how long that may go on.
TRY_AGAIN = 0.001
PATIENT_AFTER = 0.05


class Turns:
    """When a worker asks for the database's one write lock, and whether it waits for it.

    Waiting stops the loop, and with it every request in flight; where there is none, SQLite sleeps
    far longer than the other one writes. So a worker asks again in a moment; after a while it waits
    all the same, as others might always be first.
    """

    def __init__(self) -> None:
        self._refused_at: float | None = None
        self._next = 0.0

    @property
    def is_due(self) -> bool:
        """Whether it is time to ask."""
        return clock.monotonic() >= self._next

    @property
    def is_patient(self) -> bool:
        """Whether to wait for the lock this time."""
        since = self._refused_at
        return since is not None and clock.monotonic() - since >= PATIENT_AFTER

    @property
    def pause(self) -> float:
        """Seconds until it is time."""
        return max(self._next - clock.monotonic(), 0.0)

    def had(self) -> None:
        """The lock was ours."""
        self._refused_at, self._next = None, 0.0

    def refused(self) -> None:
        """Somebody else had it."""
        now = clock.monotonic()
        self._next = now + TRY_AGAIN
        if self._refused_at is None:
            self._refused_at = now
