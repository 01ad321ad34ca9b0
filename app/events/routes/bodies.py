"""Events as the contract shows them, ready to be sent."""

from __future__ import annotations

from typing import Any

from app import clock
from app.events.rules import Accepted
from app.payloads import dump_json


def event_data(accepted: Accepted) -> dict[str, Any]:
    """An accepted event."""
    return {
        "id": accepted.id,
        "event_type": accepted.event_type,
        "source_system": accepted.source_system,
        "status": accepted.status,
        "created_at": clock.iso(accepted.created_at),
    }


def event_body(accepted: Accepted) -> bytes:
    """The whole answer for one event."""
    return body({"data": event_data(accepted)})


def body(data: Any) -> bytes:
    """JSON, with the line end that a terminal wants."""
    return dump_json(data) + b"\n"
