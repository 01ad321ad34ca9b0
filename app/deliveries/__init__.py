"""Deliveries: everything that leaves the hub, in one mechanism."""

from __future__ import annotations

from flask import Flask

from app.deliveries.routes import (
    bulks_page,
    dlq,
    event_page,
    events,
    letters_acts,
    letters_page,
    rehearsal,
)


def init_app(app: Flask) -> None:
    """Open the doors of the deliveries."""
    for door in (dlq, events, letters_page, letters_acts, bulks_page, event_page, rehearsal):
        app.register_blueprint(door.blueprint)
