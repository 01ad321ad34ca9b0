"""Z-API, the provider of WhatsApp: every call the hub makes, over the client of system calls.

The token stands in the path of every URL, so no URL leaves this file: what is logged or stored
names the call only.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import current_app
from msgspec.structs import replace

from app.config import Settings
from app.db import reading
from app.errors import Unavailable
from app.payloads import dump_json, is_plain, read_json, storable
from app.systems.calls import Call, Client, client
from app.systems.queries import snapshot
from app.systems.rules.answer import Answer

HIDDEN = "…"
# A QR code is an image of some 10 KiB, a page of the queue up to a hundred messages.
READ_LIMIT = 1024 * 1024
MOST_QUEUED = 100
SHOWN_OF_ERROR = 200

# Its debug log shows whole paths, and ours hold the token.
logging.getLogger("urllib3").setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class Instance:
    """The account as the provider knows it."""

    base_url: str
    instance: str
    token: str = field(repr=False)
    client_token: str = field(repr=False)

    @property
    def configured(self) -> bool:
        """Whether calls can be made at all."""
        return bool(self.base_url and self.instance and self.token)

    def url(self, path: str) -> str:
        """The address of a call, with the token."""
        return f"{self.base_url}/instances/{self.instance}/token/{self.token}/{path}"

    def hide(self, text: str) -> str:
        """A text without the token."""
        for secret in (self.token, self.client_token):
            if secret:
                text = text.replace(secret, HIDDEN)
        return text


class ZApi:
    """The calls. `send_*` hand back the Answer for the delivery, the others their value."""

    def __init__(self, instance: Instance, calls: Client) -> None:
        self._instance = instance
        self._calls = calls

    def status(self) -> dict[str, Any]:
        """connected and smartphoneConnected (bool) decide; error is filled even while connected."""
        return self._object("GET", "status")

    def qr_code(self) -> str | None:
        """The QR code as a data URI (it lives 20 s); None when there is nothing to read."""
        value = self._object("GET", "qr-code/image").get("value")
        return value if isinstance(value, str) and value.startswith("data:image/png;") else None

    def phone_code(self, phone: str) -> str:
        """A code to type into the phone instead of reading the QR code."""
        return str(self._object("GET", f"phone-code/{_digits(phone)}").get("value", ""))

    def restore_session(self) -> bool:
        """The first thing to try after a disconnect."""
        return self._object("GET", "restore-session").get("value") is True

    def restart(self) -> bool:
        """Start the instance anew."""
        return self._object("GET", "restart").get("value") is True

    def disconnect(self) -> bool:
        """Log the phone out."""
        return self._object("GET", "disconnect").get("value") is True

    def me(self) -> dict[str, Any]:
        """The account without its token: name, due (unix seconds), connected, paymentStatus."""
        told = self._object("GET", "me")
        return {key: told.get(key) for key in ("name", "due", "connected", "paymentStatus")}

    def queue(self, page_size: int = MOST_QUEUED, paging: str | None = None) -> dict[str, Any]:
        """What the provider still holds: messages[], pagingState, hasMore."""
        return self._object("POST", "queue", {"pageSize": page_size, "pagingState": paging})

    def purge(self, zaap_id: str = "") -> bool:
        """Drop what the provider holds, all of it or one message."""
        path = f"queue/{_plain(zaap_id)}" if zaap_id else "queue"
        return self._object("DELETE", path).get("value") is True

    def phone_exists(self, phone: str) -> bool:
        """Whether the number has WhatsApp; not for use before every send."""
        found = self._value("GET", f"phone-exists/{_digits(phone)}")
        first = found[0] if isinstance(found, list) and found else found
        return isinstance(first, dict) and first.get("exists") is True

    def send(self, path: str, values: Mapping[str, Any]) -> Answer:
        """Send a message (see rules.bodies for paths and values)."""
        return self._call("POST", path, values)

    def _object(self, method: str, path: str, values: Any = None) -> dict[str, Any]:
        found = self._value(method, path, values)
        if not isinstance(found, dict):
            raise Unavailable(f"WhatsApp: {_name(path)} respondeu algo inesperado", 30)
        return found

    def _value(self, method: str, path: str, values: Any = None) -> Any:
        """The answer's JSON; Unavailable where there is none, in words without the token."""
        answer = self._call(method, path, values)
        if not answer.accepted:
            told = answer.error or answer.error_class or f"HTTP {answer.status}"
            raise Unavailable(f"WhatsApp: {_name(path)} falhou ({told[:SHOWN_OF_ERROR]})", 30)
        try:
            return storable(read_json(answer.body))
        except ValueError:
            raise Unavailable(f"WhatsApp: {_name(path)} respondeu algo ilegível", 30) from None

    def _call(self, method: str, path: str, values: Any = None) -> Answer:
        headers = {"Client-Token": self._instance.client_token, "Content-Type": "application/json"}
        body = dump_json(values) if values is not None else None
        # A message must not leave twice: sends are not repeated on a connection that broke.
        repeatable = method != "POST" or path == "queue"
        url = self._instance.url(path)
        answer = self._calls.send(Call(method, url, headers, body, READ_LIMIT, repeatable))
        hidden = self._instance.hide(answer.body.decode("utf-8", "replace")).encode()
        shown = self._instance.hide(answer.error)
        kept = {name: self._instance.hide(value) for name, value in answer.headers.items()}
        where = f"Z-API {_name(path)}"
        return replace(answer, body=hidden, error=shown, headers=kept, url=where)


def waiting_in(page: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The messages of a page of the queue, whatever else stands among them."""
    rows = page.get("messages")
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def plain_id(value: Any) -> str:
    """An id as the provider gives it, '' for what cannot be kept as one."""
    return str(value) if value and is_plain(value) else ""


def _digits(phone: str) -> str:
    return "".join(sign for sign in phone if sign.isascii() and sign.isdigit())


def _plain(name: str) -> str:
    """What may stand in a path."""
    return "".join(sign for sign in name if sign.isascii() and (sign.isalnum() or sign in "-_"))


def _name(path: str) -> str:
    """A call as it may be named: a phone in its path is nobody's business."""
    return path if path == "qr-code/image" else path.partition("/")[0]


def instance_of(settings: Settings) -> Instance:
    """The account of the current application."""
    with reading() as c:
        base = snapshot.systems(c).get("whatsapp")
    return Instance(
        base.base_url if base else "",
        settings.zapi_instance_id,
        settings.zapi_token,
        settings.zapi_client_token,
    )


def zapi() -> ZApi:
    """The provider as the settings name it; Unavailable where it is switched off."""
    settings: Settings = current_app.extensions["settings"]
    instance = instance_of(settings)
    if not settings.zapi_enabled or not instance.configured:
        raise Unavailable("WhatsApp não está configurado", 60)
    return ZApi(instance, client())


def is_on(settings: Settings) -> bool:
    """Whether the hub is to send WhatsApp messages at all."""
    return bool(settings.zapi_enabled and settings.zapi_instance_id and settings.zapi_token)
