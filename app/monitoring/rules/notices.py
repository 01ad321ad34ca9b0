"""What is said to whom about an alert."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from app.monitoring.rules.bands import CRITICAL
from app.payloads import dump_json

EMAIL, WEBHOOK = "email", "webhook"
KINDS = {EMAIL: "E-mail", WEBHOOK: "Webhook (JSON)"}
# The carrier of webhook notices, with a breaker of its own.
CARRIER = "avisos"
RAISED, WORSE, STILL, CLOSED = "raised", "worse", "still", "closed"
WORDS = {RAISED: "Alerta", WORSE: "Agora crítico", STILL: "Continua", CLOSED: "Encerrado"}


@dataclass(frozen=True, slots=True)
class Notice:
    """A webhook notice as its delivery keeps it."""

    url: str
    body: dict[str, Any]

    def as_body(self) -> bytes:
        """As bytes."""
        return dump_json(asdict(self))

    @classmethod
    def read(cls, body: bytes) -> Notice:
        """From the delivery's bytes."""
        return cls(**json.loads(body))


def wanted(channel_level: str, what: str, level: str) -> bool:
    """Whether a channel hears of it: critical ones only of what is critical."""
    return what == CLOSED or channel_level != CRITICAL or level == CRITICAL


def subject(what: str, level: str, message: str) -> str:
    """The e-mail's subject, short and on one line."""
    word = "Alerta crítico" if what == RAISED and level == CRITICAL else WORDS[what]
    return " ".join(f"[Hub] {word}: {message}".split())[:180]
