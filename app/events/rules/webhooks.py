"""The signed webhooks of the systems: which event each one is, and what its body must hold.

Only what the hub cannot do without is asked for; every field of the body is kept as it came.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, Field, model_validator

from app.events.rules.event import KEY

Text = Annotated[str, Field(min_length=1)]
Id = int | Text
Number = int | float | Text


class Lead(BaseModel):
    """A form of the site: somebody who can be reached."""

    name: str | None = None
    phone: int | str | None = None
    email: str | None = None

    @model_validator(mode="after")
    def _reachable(self) -> Lead:
        if not self.phone and not self.email:
            raise ValueError("phone or email is required")
        return self


class Client(BaseModel):
    """A client registered in the CRM."""

    id: Id


class Service(BaseModel):
    """A service that was done."""

    id: Id
    client_id: Id


class Payment(BaseModel):
    """A payment that came, or did not."""

    id: Id
    status: Text


class Payout(BaseModel):
    """A carer was paid."""

    id: Id
    caregiver_id: Id


class Feedback(BaseModel):
    """A client's opinion."""

    rating: Number


@dataclass(frozen=True, slots=True)
class Door:
    """One webhook: its path below /webhooks, whose it is, the event, and the fields required."""

    path: str
    source: str
    event_type: Callable[[Mapping[str, Any]], str]
    fields: type[BaseModel]


def _always(event_type: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda _: event_type


def payment_event(body: Mapping[str, Any]) -> str:
    """payment.received where the status says so, else payment.failed."""
    return "payment.received" if body.get("status") == "received" else "payment.failed"


DOORS = (
    Door("site/lead", "site", _always("lead.created"), Lead),
    Door("crm/client-registered", "crm", _always("client.registered"), Client),
    Door("operacao/service-completed", "operacao", _always("service.completed"), Service),
    Door("financeiro/payment", "financeiro", payment_event, Payment),
    Door("financeiro/payout", "financeiro", _always("payout.processed"), Payout),
    Door("cuidadores/feedback", "cuidadores", _always("feedback.received"), Feedback),
)


def key_of(*parts: str) -> str:
    """An idempotency key of these parts, hashed where it would be too long or not ASCII."""
    readable = ":".join(parts)
    if KEY.fullmatch(readable):
        return readable
    return f"{parts[0]}:{hashlib.sha256(readable.encode('utf-8', 'replace')).hexdigest()}"


def key_of_webhook(event_type: str, raw: bytes, message_id: str | None) -> str:
    """What makes a webhook the same as one before.

    The `webhook-id` where the signature covers it, else the exact bytes: a header that nobody
    signed must not make a replayed body count again.
    """
    if message_id:
        return key_of("webhook-id", message_id)
    return key_of("webhook", event_type, hashlib.sha256(raw).hexdigest())
