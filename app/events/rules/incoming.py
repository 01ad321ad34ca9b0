"""An event as a system posts it, before it is stored."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field

from app.config import SYSTEMS
from app.errors import Invalid
from app.events.rules.event import EVENT_TYPE, KEY, LONGEST_TYPE, NewEvent, new_event


def _known_system(name: str) -> str:
    if name not in SYSTEMS:
        raise ValueError(f"must be one of: {', '.join(SYSTEMS)}")
    return name


def _event_type(name: str) -> str:
    if not EVENT_TYPE.fullmatch(name):
        raise ValueError("must be lower-case words joined by dots, such as lead.created")
    return name


def _key(key: str) -> str:
    if not KEY.fullmatch(key):
        raise ValueError("must be 1 to 200 visible ASCII characters")
    return key


EventType = Annotated[str, Field(max_length=LONGEST_TYPE), AfterValidator(_event_type)]
SystemName = Annotated[str, AfterValidator(_known_system)]
Key = Annotated[str, AfterValidator(_key)]


class Incoming(BaseModel):
    """The body of POST /api/events; further fields are ignored, older callers send some."""

    event_type: EventType
    source_system: SystemName
    payload: dict[str, Any]
    idempotency_key: Key | None = None

    def as_new(self, raw: bytes, via: str) -> NewEvent:
        """The event for intake, with the bytes that it came in and by which way."""
        return new_event(
            self.event_type,
            self.source_system,
            self.payload,
            raw=raw,
            via=via,
            key=self.idempotency_key,
        )


def with_key(document: Any, key: str | None) -> Any:
    """The document with the key of the header; Invalid where the body names another one."""
    if not key or not isinstance(document, dict):
        return document
    named = document.get("idempotency_key")
    if named is not None and named != key:
        problem = "differs from the Idempotency-Key header"
        raise Invalid(details={"idempotency_key": [problem]})
    return {**document, "idempotency_key": key}
