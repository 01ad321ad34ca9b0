"""Z-API callbacks, and the shapes that older callers send, to events of the hub.

Total: any JSON value becomes an event. What nobody should react to is `whatsapp.ignored`, a type
without a route, with the reason in its payload.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app import clock
from app.events.rules.phones import phone_digits
from app.events.rules.webhooks import key_of
from app.events.rules.zapi_content import content_of
from app.events.rules.zapi_values import flag, moment, nested, text, texts

INBOUND, STATUS, IGNORED = "whatsapp.inbound", "whatsapp.status", "whatsapp.ignored"
RECEIVED = "ReceivedCallback"
# Type of the callback -> the status it stands for when it names none.
STATUSES = {
    "DeliveryCallback": "SENT",
    "MessageStatusCallback": "",
    "ConnectedCallback": "CONNECTED",
    "DisconnectedCallback": "DISCONNECTED",
}
IGNORED_FLAGS = (
    ("from_me", ("fromMe", "isFromMe")),
    ("group", ("isGroup",)),
    ("status_reply", ("isStatusReply",)),
    ("newsletter", ("isNewsletter",)),
    ("edit", ("isEdit",)),
)


@dataclass(frozen=True, slots=True)
class Callback:
    """What a callback becomes; `key` is None where it names nothing to know it again by."""

    event_type: str
    payload: dict[str, Any]
    key: str | None


def normalise(document: Any, assumed: str, now: int) -> Callback:
    """The event in a callback; `assumed` (INBOUND or STATUS) is for those that name no type."""
    callback: Mapping[str, Any] = document if isinstance(document, dict) else {}
    type_ = text(callback, "type")
    if type_ in STATUSES:
        return _status(callback, type_, now)
    if type_ == RECEIVED:
        return _message(callback, type_, now)
    if type_.endswith("Callback"):
        return _ignored(_message(callback, type_, now), "unknown_type")
    shape = _status if assumed == STATUS else _message
    return shape(callback, type_, now)


def _message(callback: Mapping[str, Any], type_: str, now: int) -> Callback:
    """Somebody wrote, in Z-API's words or in those of older callers."""
    content = content_of(callback)
    message_id = text(callback, "messageId", "message_id", "id")
    payload = {
        "type": type_,
        "message_id": message_id,
        "instance_id": text(callback, "instanceId"),
        "phone": phone_digits(text(callback, "phone", "from", "sender")),
        "connected_phone": phone_digits(text(callback, "connectedPhone")),
        "name": text(callback, "senderName", "sender_name", "name", "chatName"),
        "from_me": flag(callback, "fromMe", "isFromMe"),
        "is_group": flag(callback, "isGroup"),
        "reply_to": text(callback, "referenceMessageId"),
        "received_at": clock.iso(moment(callback, "momment", "moment", "timestamp") or now),
        **content,
    }
    key = key_of("zapi", "inbound", message_id) if message_id else None
    found = Callback(INBOUND, payload, key)
    reason = _why_ignored(callback, payload)
    return _ignored(found, reason) if reason else found


def _why_ignored(callback: Mapping[str, Any], payload: Mapping[str, Any]) -> str:
    """Why nobody is to react to a message, '' for one that counts."""
    for reason, names in IGNORED_FLAGS:
        if flag(callback, *names):
            return reason
    if not payload["phone"]:
        return "no_phone"
    return "" if payload["kind"] else "unknown_kind"


def _ignored(found: Callback, reason: str) -> Callback:
    """The same, kept only; its key differs, since the message proper may follow under its id."""
    message_id = found.payload["message_id"]
    key = key_of("zapi", "ignored", reason, message_id) if message_id else None
    return Callback(IGNORED, {**found.payload, "ignored": reason}, key)


def _status(callback: Mapping[str, Any], type_: str, now: int) -> Callback:
    """What became of messages sent, or of the connection."""
    ids = texts(callback, "ids") or texts(callback, "messageId", "message_id", "id")
    error = text(callback, "error") or text(nested(callback, "error"), "message")
    status = text(callback, "status") or STATUSES.get(type_, "")
    if type_ == "DeliveryCallback" and error:
        status = "FAILED"
    at = moment(callback, "momment", "moment", "timestamp")
    payload = {
        "type": type_,
        "instance_id": text(callback, "instanceId"),
        "phone": phone_digits(text(callback, "phone", "from")),
        "message_ids": ids,
        "zaap_id": text(callback, "zaapId"),
        "status": status,
        "error": error,
        "received_at": clock.iso(at or now),
    }
    known_by = ids or ([str(at)] if at else [])
    key = key_of("zapi", "status", type_, status, *sorted(known_by)) if known_by else None
    return Callback(STATUS, payload, key)
