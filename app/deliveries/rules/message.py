"""A delivery on the wire: its identifier, its headers, and what of them may be logged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from app import clock
from app.secrets import mask
from app.systems.rules.signing import signed_headers

SECRET_HEADERS = frozenset({"X-Webhook-Signature", "webhook-signature", "X-API-Key"})


class Message(Protocol):
    """What of a delivery shows on the wire."""

    @property
    def id(self) -> int: ...
    @property
    def event_id(self) -> int: ...
    @property
    def event_type(self) -> str: ...
    @property
    def created_at(self) -> int: ...
    @property
    def body(self) -> bytes: ...


def message_id(delivery_id: int, created_at: int) -> str:
    """The same on every attempt, so that receivers can drop repeats; unique across a database
    that was set up anew, whose ids start again."""
    return f"msg_{delivery_id}_{created_at:x}"


def headers_of(message: Message, secrets: Sequence[str], now: int) -> dict[str, str]:
    """All headers of an attempt made now (ms)."""
    signed = signed_headers(
        message.body, secrets, message_id(message.id, message.created_at), now // 1000
    )
    return {
        "Content-Type": "application/json",
        "X-Source-System": "integracoes",
        "X-Event-Type": message.event_type,
        "X-Event-ID": str(message.event_id),
        "X-Timestamp": clock.iso(now) or "",
        **signed,
    }


def logged(headers: dict[str, str]) -> dict[str, str]:
    """Headers as they may be stored: signatures shortened beyond use."""
    return headers | {name: mask(headers[name]) for name in SECRET_HEADERS if name in headers}
