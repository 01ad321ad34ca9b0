"""The clock's doors of the automations."""

from __future__ import annotations

from app import clock
from app.automations.actions import follow
from app.automations.actions.cleanup import cleanup_ratings


def wake() -> None:
    """Start the steps whose time has come and whose lane is free."""
    follow.wake()


def cleanup() -> None:
    """Forget which services were rated long ago."""
    cleanup_ratings(clock.now())
