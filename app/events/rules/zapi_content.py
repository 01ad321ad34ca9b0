"""What a WhatsApp message holds: text, media, the answer of a button or a list, a reaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.events.rules.zapi_values import nested, text

# Field of the callback -> where its address is.
MEDIA = {
    "image": "imageUrl",
    "document": "documentUrl",
    "audio": "audioUrl",
    "video": "videoUrl",
}
BUTTONS = ("buttonsResponseMessage", "buttonResponseMessage")
PLAIN = ("message", "text", "body")


def content_of(callback: Mapping[str, Any]) -> dict[str, Any]:
    """kind ('' when unknown), body, media, button_id and reaction of a message."""
    found = _button(callback) or _list(callback) or _reaction(callback) or _media(callback)
    found = found or _text(callback)
    return {"kind": "", "body": "", "button_id": "", "media": None, "reaction": None, **found}


def _button(callback: Mapping[str, Any]) -> dict[str, Any]:
    for name in BUTTONS:
        if answer := nested(callback, name):
            button = text(answer, "buttonId", "id")
            return {"kind": "button", "button_id": button, "body": text(answer, "message", "text")}
    return {}


def _list(callback: Mapping[str, Any]) -> dict[str, Any]:
    answer = nested(callback, "listResponseMessage")
    if not answer:
        return {}
    row = text(answer, "selectedRowId")
    return {"kind": "list", "button_id": row, "body": text(answer, "message", "title")}


def _reaction(callback: Mapping[str, Any]) -> dict[str, Any]:
    answer = nested(callback, "reaction")
    if not answer:
        return {}
    referenced = nested(answer, "referencedMessage")
    reaction = {"value": text(answer, "value"), "message_id": text(referenced, "messageId")}
    return {"kind": "reaction", "body": reaction["value"], "reaction": reaction}


def _media(callback: Mapping[str, Any]) -> dict[str, Any]:
    for kind, address in MEDIA.items():
        if part := nested(callback, kind):
            caption = text(part, "caption")
            media = {
                "url": text(part, address),
                "mime_type": text(part, "mimeType"),
                "file_name": text(part, "fileName"),
                "caption": caption,
            }
            return {"kind": kind, "media": media, "body": caption}
    return {}


def _text(callback: Mapping[str, Any]) -> dict[str, Any]:
    written = text(nested(callback, "text"), "message") or text(callback, *PLAIN)
    return {"kind": "text", "body": written} if written else {}
