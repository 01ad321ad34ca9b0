"""What waits at the provider while the phone is away, as people look at it: addresses masked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app import clock
from app.access.rules.masking import mask_text
from app.messages.zapi import waiting_in, zapi

# The words that tell one message from another.
LONGEST = 160


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that the provider took and has not sent; `at` (ms) is None if it does not say."""

    phone: str
    text: str
    at: int | None

    def as_data(self) -> dict[str, Any]:
        """The message as JSON."""
        return {"phone": self.phone, "text": self.text, "created_at": self.at}


@dataclass(frozen=True, slots=True)
class Held:
    """The first page of what waits there; `more`: there is more than that."""

    messages: tuple[Waiting, ...]
    more: bool

    @property
    def count(self) -> int:
        """How many are known of."""
        return len(self.messages)

    @property
    def figure(self) -> str:
        """The number in words: 100+ where there are more."""
        return f"{self.count}{'+' if self.more else ''}"


def held() -> Held:
    """Ask the provider. Unavailable."""
    told = zapi().queue()
    return Held(tuple(map(_waiting, waiting_in(told))), bool(told.get("hasMore")))


def _waiting(row: dict[str, Any]) -> Waiting:
    text = mask_text(str(row.get("Message") or ""))[:LONGEST]
    phone = mask_text(str(row.get("Phone") or ""))
    return Waiting(phone, text, clock.told(row.get("Created")))
