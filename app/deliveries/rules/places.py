"""How many requests a process may have in flight, and who gets the places when they are few."""

from __future__ import annotations

from collections.abc import Mapping

# Open files that are no request: database, Redis, logs, carriers, second addresses of a host.
OTHER_FILES = 256


def places(files: int) -> int:
    """Requests at once for a process that may open so many files more."""
    return max(files - OTHER_FILES, files // 2, 1)


def width(limit: int, places: int) -> int:
    """Requests at once for one system: a hung one must leave half of the places to the others."""
    return min(limit, max(places // 2, 1))


def shared(room: Mapping[str, int], spare: int) -> dict[str, int]:
    """What each system may start of its free places when all of them together have `spare`."""
    if sum(room.values()) <= spare:
        return dict(room)
    share = max(spare // len(room), 1) if spare > 0 else 0
    return {name: min(free, share) for name, free in room.items() if share}
