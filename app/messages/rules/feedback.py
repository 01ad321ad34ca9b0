"""The feedback link: who may give an opinion, for how long, and what it becomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from itsdangerous import BadSignature, URLSafeSerializer
from pydantic import BaseModel, Field

from app import clock

VALID_MS = 7 * clock.DAY
SALT = "feedback"
LONGEST_TOKEN = 300
NAMES = ("caregiver_id", "client_id")


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a link stands for: the event of a service that was done, and its end (ms)."""

    event_id: int
    until: int


class Opinion(BaseModel):
    """The form: stars and words."""

    rating: int = Field(ge=1, le=5)
    comment: Annotated[str, Field(max_length=2_000)] = ""


def sign(ticket: Ticket, secret: str) -> str:
    """The token of a link."""
    return str(URLSafeSerializer(secret, salt=SALT).dumps([ticket.event_id, ticket.until]))


def read(token: str, secret: str) -> Ticket | None:
    """What a token stands for; None for one that we never made."""
    if len(token) > LONGEST_TOKEN:
        return None
    try:
        event_id, until = URLSafeSerializer(secret, salt=SALT).loads(token)
    except (BadSignature, ValueError, TypeError):
        return None
    return Ticket(int(event_id), int(until))


def key_of(service: Mapping[str, Any], event_id: int) -> str:
    """One opinion for a service, also when the service was told of twice."""
    known = service.get("id")
    return f"feedback:service:{known}"[:200] if known not in (None, "") else f"feedback:{event_id}"


def payload_of(service: Mapping[str, Any], opinion: Opinion) -> dict[str, Any]:
    """The event's content."""
    return {
        "service_id": service.get("id"),
        **{name: service.get(name) for name in NAMES},
        "rating": opinion.rating,
        "comment": " ".join(opinion.comment.split()),
        "channel": "email",
    }
