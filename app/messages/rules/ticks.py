"""The ticks of a message, and words by which somebody asks for silence."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

# Status of the callback -> the field that keeps its moment.
FIELDS = {
    "SENT": "sent_at",
    "RECEIVED": "received_at",
    "READ": "read_at",
    "PLAYED": "read_at",
    "FAILED": "failed_at",
}
STATES = {"lida": "read_at", "recebida": "received_at", "falhou": "failed_at", "enviada": "sent_at"}
OUT_WORDS = frozenset({"sair", "parar", "pare", "stop", "descadastrar", "cancelar mensagens"})


def state_of(row: Any) -> str:
    """enviada, recebida, lida or falhou: the furthest that was told, in whatever order."""
    return next((state for state, field in STATES.items() if getattr(row, field)), "a caminho")


def marks_of(row: Any) -> tuple[tuple[str, int], ...]:
    """Each state that was told with its moment (ms), in the order of time."""
    told = ((state, getattr(row, field)) for state, field in reversed(STATES.items()))
    return tuple(sorted((mark for mark in told if mark[1]), key=lambda mark: int(mark[1])))


def wants_out(payload: Mapping[str, Any]) -> bool:
    """Whether a message is nothing but the wish to get no more of them."""
    body = payload.get("body")
    if payload.get("kind") != "text" or not isinstance(body, str) or len(body) > 40:
        return False
    bare = unicodedata.normalize("NFKD", body.casefold())
    words = "".join(sign if sign.isalnum() else " " for sign in bare if sign.isascii())
    return " ".join(words.split()) in OUT_WORDS
