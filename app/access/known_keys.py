"""Keys met within the last second, for doors that ask again at their commit (see queries.works)."""

from __future__ import annotations

from typing import cast

from flask import Flask

from app import clock
from app.access import queries
from app.access.queries import Found

KEPT_SECONDS = 1.0
MOST = 1_000


class KnownKeys:
    """Whose key it is, at most a second old."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._kept: dict[str, tuple[float, Found]] = {}

    def owner_of(self, key: str) -> Found | None:
        """As queries.owner_of, without the address."""
        kept = self._kept.get(key)
        if kept is not None and clock.monotonic() < kept[0]:
            return kept[1]
        with self._app.app_context():
            found = queries.owner_of(key)
        if len(self._kept) >= MOST:
            self._kept.clear()
        if found is not None:
            self._kept[key] = (clock.monotonic() + KEPT_SECONDS, found)
        return found

    def forget(self, key: str) -> None:
        """Look it up anew the next time."""
        self._kept.pop(key, None)


def init_app(app: Flask) -> None:
    """Give the application its memory of keys."""
    app.extensions["known_keys"] = KnownKeys(app)


def known_keys(app: Flask) -> KnownKeys:
    """The memory of the application."""
    return cast(KnownKeys, app.extensions["known_keys"])
