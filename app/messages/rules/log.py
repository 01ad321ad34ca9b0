"""Messages as the list shows them: how far each is, what it says, whom it is with."""

from __future__ import annotations

from typing import Any

from app.access.rules.emails import normal_email
from app.messages.rules.phones import normalise
from app.messages.rules.templates import EMAIL, KINDS
from app.messages.rules.ticks import state_of
from app.payloads import read_json

INWARD = "in"
# What stands in no text, so that a search for nonsense finds nothing.
NOBODY = "?"


def address_of(text: str) -> str:
    """A phone or an e-mail as messages keep it."""
    return (normal_email(text) if "@" in text else normalise(text)) or NOBODY


def progress(row: Any) -> str:
    """How far a message is: entrada, a caminho, enviada, recebida, lida, falhou or erro."""
    if row.direction == INWARD:
        return "entrada"
    if row.status == "pending":
        return "a caminho"
    if row.status == "failed":
        return "erro"
    return "enviada" if row.channel == EMAIL else _told(row)


def _told(row: Any) -> str:
    told = state_of(row)
    return "enviada" if told == "a caminho" else told


def label_of(template: str) -> str:
    """What a text is for; '' for a message without a template."""
    kind = KINDS.get(template)
    return kind.label if kind else template


def words_in(channel: str, direction: str, stored: bytes) -> str:
    """The text of a message out of what is stored of it."""
    try:
        document = read_json(stored or b"{}")
    except ValueError:
        return ""
    if not isinstance(document, dict):
        return ""
    if direction == INWARD:
        return str(document.get("body") or document.get("kind") or "")
    if channel == EMAIL:
        return f"{document.get('subject', '')}\n\n{document.get('text', '')}".strip()
    sent = document.get("json")
    return _sent(sent) if isinstance(sent, dict) else ""


def _sent(values: dict[str, Any]) -> str:
    """Words of a WhatsApp message with its buttons below."""
    text = str(values.get("message") or values.get("caption") or "")
    listed = values.get("buttonList")
    buttons = listed.get("buttons", []) if isinstance(listed, dict) else []
    labels = [f"[ {button.get('label', '')} ]" for button in buttons if isinstance(button, dict)]
    return "\n".join([text, *labels])
