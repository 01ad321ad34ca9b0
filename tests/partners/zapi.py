"""Z-API as the hub sees it: one WhatsApp instance that sends, waits and reconnects."""

import re
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import segno

from tests.partners.rows import Answer, Call, Row

MOST_WAITING = 1_000
QR_SECONDS = 20
INSTANCE = re.compile(r"/instances/([^/]+)/token/([^/]+)/(.+)")
Notify = Callable[[Row], None]

# What each send needs beside the phone.
SENDS: dict[str, tuple[str, ...]] = {
    "send-text": ("message",),
    "send-button-list": ("message", "buttonList"),
    "send-link": ("message", "image", "linkUrl", "title", "linkDescription"),
    "send-image": ("image",),
    "send-document": ("document",),
}


class WhatsApp:
    """One instance: its connection, what it sent and what waits until it is connected."""

    def __init__(self) -> None:
        self.client_token = self.instance = self.token = ""
        # Called for each message that leaves, and for each move of the connection.
        self.on_sent: Notify = lambda message: None
        self.on_connection: Notify = lambda change: None
        self.clear()

    def clear(self) -> None:
        """Connected, nothing sent, nothing waiting."""
        self.connected = self.restorable = True
        self.queue: dict[str, Row] = {}
        self.sent: list[Row] = []

    def connect(self) -> None:
        """Read the QR code: all that waited goes out by itself."""
        self.connected = self.restorable = True
        self.on_connection({"type": "ConnectedCallback", "connected": True})
        waiting, self.queue = list(self.queue.values()), {}
        for message in waiting:
            self._send(message)

    def disconnect(self, restorable: bool = True) -> None:
        """Lose the phone; unless restorable only a new QR code brings it back."""
        self.connected, self.restorable = False, restorable
        error = {"type": "DisconnectedCallback", "disconnected": True, "error": "Device lost"}
        self.on_connection(error)

    def state(self) -> dict[str, Any]:
        """The instance as the control API shows it."""
        return {
            "connected": self.connected,
            "restorable": self.restorable,
            "waiting": len(self.queue),
            "sent": len(self.sent),
        }

    def answer(self, call: Call) -> Answer:
        """Answer one call of the hub."""
        found = INSTANCE.fullmatch(call.path)
        if not found:
            return (
                (200, {"status": "ok"})
                if call.path in ("/", "/health")
                else (404, _error("Not found"))
            )
        instance, token, rest = found.groups()
        if (self.instance or instance) != instance or (self.token or token) != token:
            return 404, _error("Instance not found")
        return self._call(rest, call)

    def _call(self, rest: str, call: Call) -> Answer:
        name, _, argument = rest.partition("/")
        if name == "qr-code":
            name, argument = rest, ""
        if name not in CALLS:
            return 404, _error("Not found")
        method = CALLS[name].get(call.method)
        if method is None:
            return 405, _error("Method Not Allowed")
        if call.method == "POST" and "application/json" not in call.headers.get("Content-Type", ""):
            return 415, _error("Unsupported Media Type")
        return method(self, name, argument, call)

    def _status(self, name: str, argument: str, call: Call) -> Answer:
        error = "You are already connected." if self.connected else "You are not connected."
        both = {"connected": self.connected, "smartphoneConnected": self.connected}
        return 200, {**both, "error": error}

    def _qr_code(self, name: str, argument: str, call: Call) -> Answer:
        if self.connected:
            return 200, {"connected": True}
        turn = int(time.time()) // QR_SECONDS
        code = segno.make(f"2@{uuid.uuid5(uuid.NAMESPACE_OID, str(turn))},hub,{turn}")
        return 200, {"value": code.png_data_uri(scale=6)}

    def _phone_code(self, name: str, argument: str, call: Call) -> Answer:
        if not argument.isdigit():
            return 400, _error("Invalid phone")
        return 200, {"value": uuid.uuid5(uuid.NAMESPACE_OID, argument).hex[:10].upper()}

    def _restore(self, name: str, argument: str, call: Call) -> Answer:
        if not self.connected and self.restorable:
            self.connect()
        return 200, {"value": True}

    def _restart(self, name: str, argument: str, call: Call) -> Answer:
        return 200, {"value": True}

    def _log_out(self, name: str, argument: str, call: Call) -> Answer:
        if self.connected:
            self.disconnect(restorable=False)
        return 200, {"value": True}

    def _me(self, name: str, argument: str, call: Call) -> Answer:
        return 200, {
            "id": self.instance or "INSTANCE",
            "token": self.token or "TOKEN",
            "name": "Carinho com Você",
            "due": int(time.time()) + 20 * 86_400,
            "connected": self.connected,
            "paymentStatus": "PAYED",
        }

    def _show_queue(self, name: str, argument: str, call: Call) -> Answer:
        asked = call.json()
        size = int(asked.get("pageSize") or 100)
        start = int(asked.get("pagingState") or 0)
        waiting = list(self.queue.values())
        more = start + size < len(waiting)
        page = [_as_queued(message) for message in waiting[start : start + size]]
        paging = str(start + size) if more else None
        return 200, {"messages": page, "pagingState": paging, "hasMore": more}

    def _purge(self, name: str, argument: str, call: Call) -> Answer:
        if not argument:
            self.queue.clear()
        elif self.queue.pop(argument, None) is None:
            return 404, _error("Message not found")
        return 200, {"value": True}

    def _phone_exists(self, name: str, argument: str, call: Call) -> Answer:
        exists = argument.isdigit() and len(argument) in (12, 13)
        return 200, [{"exists": exists, "phone": argument}]

    def _accept(self, name: str, argument: str, call: Call) -> Answer:
        values = call.json()
        fault = _fault_of(name, argument, values)
        if fault:
            return 400, _error(fault)
        if not self.connected and len(self.queue) >= MOST_WAITING:
            return 429, _error("Queue limit reached")
        message = {"kind": name, "extension": argument, **values, **_new_ids()}
        if self.connected:
            self._send(message)
        else:
            self.queue[message["zaapId"]] = message
        return 200, {key: message[key] for key in ("zaapId", "messageId", "id")}

    def _send(self, message: Row) -> None:
        message["sent_at"] = time.time_ns() // 1_000_000
        self.sent.append(message)
        self.on_sent(message)


def _new_ids() -> Row:
    message_id = uuid.uuid4().hex.upper()[:20]
    created = time.time_ns() // 1_000_000
    return {"zaapId": uuid.uuid4().hex.upper(), "messageId": message_id, "id": message_id} | {
        "created": created
    }


def _fault_of(name: str, argument: str, values: Row) -> str:
    if not str(values.get("phone", "")).isdigit():
        return "Invalid phone"
    missing = [field for field in SENDS[name] if not values.get(field)]
    if missing:
        return f"Missing field: {missing[0]}"
    if name == "send-document" and not argument:
        return "Missing extension"
    if name == "send-link" and not values["message"].endswith(values["linkUrl"]):
        return "The message must end with linkUrl"
    return ""


def _as_queued(message: Row) -> Row:
    return {
        "Phone": message["phone"],
        "Message": message.get("message") or message.get("caption") or "",
        "MessageId": message["messageId"],
        "ZaapId": message["zaapId"],
        "Created": message["created"],
    }


def _error(text: str) -> dict[str, str]:
    return {"error": text}


Method = Callable[[WhatsApp, str, str, Call], Answer]
CALLS: Mapping[str, Mapping[str, Method]] = {
    "status": {"GET": WhatsApp._status},
    "qr-code/image": {"GET": WhatsApp._qr_code},
    "phone-code": {"GET": WhatsApp._phone_code},
    "restore-session": {"GET": WhatsApp._restore},
    "restart": {"GET": WhatsApp._restart},
    "disconnect": {"GET": WhatsApp._log_out},
    "me": {"GET": WhatsApp._me},
    "queue": {"POST": WhatsApp._show_queue, "DELETE": WhatsApp._purge},
    "phone-exists": {"GET": WhatsApp._phone_exists},
    **{name: {"POST": WhatsApp._accept} for name in SENDS},
}
