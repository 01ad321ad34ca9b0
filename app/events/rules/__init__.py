"""What an event may look like, when two are the same, and what a webhook's body becomes."""

from app.events.rules.event import (
    EVENT_TYPE,
    KEY,
    LONGEST_TYPE,
    SOURCE,
    Accepted,
    NewEvent,
    new_event,
    status_of,
)

__all__ = [
    "EVENT_TYPE",
    "KEY",
    "LONGEST_TYPE",
    "SOURCE",
    "Accepted",
    "NewEvent",
    "new_event",
    "status_of",
]
