"""A WhatsApp message as a delivery keeps it: the provider's call and exactly what it gets."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.payloads import dump_json

TEXT, BUTTONS, LINK, IMAGE, DOCUMENT = (
    "send-text", "send-button-list", "send-link", "send-image", "send-document",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outbound:
    """One message: the call's path and its JSON."""

    path: str
    json: Mapping[str, Any]

    @property
    def phone(self) -> str:
        """Whom it goes to."""
        return str(self.json["phone"])

    def as_body(self) -> bytes:
        """The message as a delivery keeps it."""
        return dump_json({"path": self.path, "json": dict(self.json)})

    @classmethod
    def read(cls, body: bytes) -> Outbound:
        """The message in a delivery."""
        values = json.loads(body)
        return cls(values["path"], values["json"])


def text(phone: str, message: str) -> Outbound:
    """Words."""
    return Outbound(TEXT, {"phone": phone, "message": message})


def buttons(phone: str, message: str, choices: Sequence[tuple[str, str]]) -> Outbound:
    """Words and buttons (id, label)."""
    listed = [{"id": id_, "label": label} for id_, label in choices]
    values = {"phone": phone, "message": message, "buttonList": {"buttons": listed}}
    return Outbound(BUTTONS, values)


def link(
    phone: str, message: str, url: str, *, title: str, description: str, image: str
) -> Outbound:
    """A link with its card; the provider wants the address at the end of the message too."""
    ending = message if message.endswith(url) else f"{message} {url}".strip()
    values = {
        "phone": phone,
        "message": ending,
        "image": image,
        "linkUrl": url,
        "title": title,
        "linkDescription": description,
    }
    return Outbound(LINK, values)


def image(phone: str, address: str, caption: str = "") -> Outbound:
    """A picture by its URL or as a data URI."""
    return Outbound(IMAGE, {"phone": phone, "image": address, "caption": caption})


def document(phone: str, address: str, extension: str, name: str, caption: str = "") -> Outbound:
    """A file; its extension stands in the path."""
    plain = "".join(sign for sign in extension.lower() if sign.isascii() and sign.isalnum())
    values = {"phone": phone, "document": address, "fileName": name, "caption": caption}
    return Outbound(f"{DOCUMENT}/{plain}", values)
