"""Z-API callbacks in both spellings; nothing that arrives can break the reading."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.events.rules import EVENT_TYPE, KEY
from app.events.rules.phones import phone_digits
from app.events.rules.zapi import IGNORED, INBOUND, STATUS, normalise
from app.payloads import dump_json

NOW = 1_800_000_000_000
NEW = {"type": "ReceivedCallback", "phone": "5511999990000", "messageId": "M1"}
OLD = {"phone": "11 99999-0000"}


def payload(callback: Any, assumed: str = INBOUND) -> dict[str, Any]:
    return normalise(callback, assumed, NOW).payload


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"text": {"message": "oi"}}, {"kind": "text", "body": "oi"}),
        (
            {"image": {"imageUrl": "u", "caption": "c", "mimeType": "image/png"}},
            {
                "kind": "image",
                "body": "c",
                "media": {"url": "u", "caption": "c", "mime_type": "image/png", "file_name": ""},
            },
        ),
        ({"document": {"documentUrl": "u", "fileName": "f"}}, {"kind": "document"}),
        ({"audio": {"audioUrl": "u"}}, {"kind": "audio", "body": ""}),
        ({"video": {"videoUrl": "u"}}, {"kind": "video"}),
        (
            {"buttonsResponseMessage": {"buttonId": "rating_5", "message": "5"}},
            {"kind": "button", "button_id": "rating_5", "body": "5"},
        ),
        (
            {"listResponseMessage": {"selectedRowId": "2", "title": "t", "message": "m"}},
            {"kind": "list", "button_id": "2", "body": "m"},
        ),
        (
            {"reaction": {"value": "❤", "referencedMessage": {"messageId": "M0"}}},
            {"kind": "reaction", "reaction": {"value": "❤", "message_id": "M0"}},
        ),
    ],
)
def test_each_kind_of_message_is_read(content: Any, expected: dict[str, Any]) -> None:
    found = normalise(NEW | content, INBOUND, NOW)
    assert (found.event_type, found.key) == (INBOUND, "zapi:inbound:M1")
    assert found.payload.items() >= expected.items()


@pytest.mark.parametrize(
    "callback",
    [
        {"phone": "11 99999-0000", "message": "oi"},
        {"from": "+55 (11) 99999-0000", "text": "oi"},
        {"sender": 5511999990000, "body": "oi"},
    ],
)
def test_older_callers_are_understood(callback: Any) -> None:
    found = normalise(callback | {"timestamp": 1_700_000_000, "name": "Ana"}, INBOUND, NOW)
    assert found.event_type == INBOUND
    told = {"phone": "5511999990000", "body": "oi", "kind": "text", "name": "Ana"}
    assert found.payload.items() >= told.items()
    assert found.payload["received_at"] == "2023-11-14T22:13:20.000Z"


def test_the_button_of_older_callers() -> None:
    found = payload(OLD | {"buttonResponseMessage": {"id": "rating_3"}})
    assert (found["kind"], found["button_id"]) == ("button", "rating_3")


TEXT = {"text": {"message": "oi"}}


@pytest.mark.parametrize(
    ("callback", "reason"),
    [
        (NEW | TEXT | {"fromMe": True}, "from_me"),
        (OLD | {"message": "oi", "isFromMe": "true"}, "from_me"),
        (NEW | TEXT | {"isGroup": True}, "group"),
        (NEW | TEXT | {"isStatusReply": True}, "status_reply"),
        (NEW | TEXT | {"isNewsletter": True}, "newsletter"),
        (NEW | TEXT | {"isEdit": True}, "edit"),
        (NEW | {"sticker": {"stickerUrl": "u"}}, "unknown_kind"),
        (NEW | TEXT | {"phone": ""}, "no_phone"),
        (NEW | TEXT | {"type": "PresenceChatCallback"}, "unknown_type"),
        ([], "no_phone"),
        ({}, "no_phone"),
    ],
)
def test_what_nobody_reacts_to_says_why(callback: Any, reason: str) -> None:
    found = normalise(callback, INBOUND, NOW)
    assert (found.event_type, found.payload["ignored"]) == (IGNORED, reason)


@pytest.mark.parametrize(
    ("callback", "status", "ids"),
    [
        ({"type": "DeliveryCallback", "messageId": "M1", "zaapId": "Z"}, "SENT", ["M1"]),
        ({"type": "DeliveryCallback", "messageId": "M1", "error": "x"}, "FAILED", ["M1"]),
        (
            {"type": "MessageStatusCallback", "ids": ["A", "B"], "status": "READ"},
            "READ",
            ["A", "B"],
        ),
        ({"type": "ConnectedCallback", "connected": True}, "CONNECTED", []),
        ({"type": "DisconnectedCallback", "error": "Device lost"}, "DISCONNECTED", []),
        ({"messageId": "M1", "status": "READ"}, "READ", ["M1"]),
    ],
)
@pytest.mark.parametrize("assumed", [STATUS, INBOUND])
def test_statuses_are_read_at_either_door(
    callback: Any, status: str, ids: list[str], assumed: str
) -> None:
    if "type" not in callback and assumed == INBOUND:
        assert normalise(callback, assumed, NOW).event_type == IGNORED
        return
    found = normalise(callback, assumed, NOW)
    assert (found.event_type, found.payload["status"]) == (STATUS, status)
    assert found.payload["message_ids"] == ids


def test_a_message_at_the_door_for_statuses_is_a_message() -> None:
    assert normalise(NEW | TEXT, STATUS, NOW).event_type == INBOUND


@pytest.mark.parametrize(
    ("momment", "iso"),
    [
        (1_700_000_000_000, "2023-11-14T22:13:20.000Z"),
        (1_700_000_000, "2023-11-14T22:13:20.000Z"),
        ("1700000000", "2023-11-14T22:13:20.000Z"),
        (1_700_000_000.5, "2023-11-14T22:13:20.500Z"),
        (None, "2027-01-15T08:00:00.000Z"),
        (0, "2027-01-15T08:00:00.000Z"),
        (-5, "2027-01-15T08:00:00.000Z"),
        (10**300, "2027-01-15T08:00:00.000Z"),
        (10**400, "2027-01-15T08:00:00.000Z"),
        ("soon", "2027-01-15T08:00:00.000Z"),
        ("nan", "2027-01-15T08:00:00.000Z"),
        (True, "2027-01-15T08:00:00.000Z"),
        ({}, "2027-01-15T08:00:00.000Z"),
    ],
)
def test_seconds_are_told_from_milliseconds(momment: Any, iso: str) -> None:
    assert payload(NEW | TEXT | {"momment": momment})["received_at"] == iso


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("11999990000", "5511999990000"),
        ("1133334444", "551133334444"),
        ("+55 (11) 99999-0000", "5511999990000"),
        ("5511999990000", "5511999990000"),
        ("999990000", "999990000"),
        ("", ""),
        ("abc", ""),
    ],
)
def test_phones_are_digits_with_the_country(text: str, digits: str) -> None:
    assert phone_digits(text) == digits


@given(st.text())
def test_phones_once_normal_stay_so(text: str) -> None:
    once = phone_digits(text)
    assert phone_digits(once) == once


LEAF = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
FIELDS = (
    "type phone from sender message text body momment timestamp messageId ids id status fromMe "
    "isGroup image imageUrl caption document audio video buttonsResponseMessage buttonId reaction "
    "buttonResponseMessage listResponseMessage selectedRowId referencedMessage value error "
    "isEdit senderName instanceId zaapId connectedPhone"
)
NAMES = st.sampled_from(FIELDS.split()) | st.text(max_size=8)
ANY = st.recursive(
    LEAF, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=6)
)
TYPES = st.sampled_from(
    ["ReceivedCallback", "DeliveryCallback", "MessageStatusCallback", "ConnectedCallback",
     "DisconnectedCallback", "XCallback", "", None]
)  # fmt: skip
CALLBACK = st.builds(
    lambda body, type_: body | {"type": type_}, st.dictionaries(NAMES, ANY, max_size=10), TYPES
)


@given(ANY | CALLBACK, st.sampled_from([INBOUND, STATUS]))
def test_any_json_becomes_an_event(document: Any, assumed: str) -> None:
    found = normalise(document, assumed, NOW)
    assert found.event_type in (INBOUND, STATUS, IGNORED)
    assert EVENT_TYPE.fullmatch(found.event_type)
    assert found.key is None or KEY.fullmatch(found.key)
    assert dump_json(found.payload)
    assert found == normalise(document, assumed, NOW)
