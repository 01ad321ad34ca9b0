"""The clock's door of the automations."""

from __future__ import annotations

from app.automations.actions import follow


def wake() -> None:
    """Start the steps whose time has come and whose lane is free."""
    follow.wake()
