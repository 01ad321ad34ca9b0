"""Z-API: every call with its exact path and body, and the token nowhere but on the wire."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from app.errors import Unavailable
from app.messages.rules import bodies
from app.messages.rules.bodies import Outbound
from app.messages.zapi import ZApi, zapi
from tests.automations.office import PHONE, Office
from tests.partners.client import Partners

TOKEN = "a-token-that-nobody-may-see"
BASE = f"/instances/INSTANCE/token/{TOKEN}"

CALLS: list[tuple[Callable[[ZApi], Any], str, str, Any]] = [
    (lambda z: z.status(), "GET", "status", None),
    (lambda z: z.qr_code(), "GET", "qr-code/image", None),
    (lambda z: z.phone_code(PHONE), "GET", f"phone-code/{PHONE}", None),
    (lambda z: z.restore_session(), "GET", "restore-session", None),
    (lambda z: z.restart(), "GET", "restart", None),
    (lambda z: z.disconnect(), "GET", "disconnect", None),
    (lambda z: z.me(), "GET", "me", None),
    (lambda z: z.queue(50), "POST", "queue", {"pageSize": 50, "pagingState": None}),
    (lambda z: z.purge(), "DELETE", "queue", None),
    (lambda z: z.phone_exists(PHONE), "GET", f"phone-exists/{PHONE}", None),
]
SENDS: list[tuple[Outbound, str, dict[str, Any]]] = [
    (bodies.text(PHONE, "Olá"), "send-text", {"phone": PHONE, "message": "Olá"}),
    (
        bodies.buttons(PHONE, "E aí?", [("rating_1", "1"), ("rating_2", "2")]),
        "send-button-list",
        {
            "phone": PHONE,
            "message": "E aí?",
            "buttonList": {
                "buttons": [{"id": "rating_1", "label": "1"}, {"id": "rating_2", "label": "2"}]
            },
        },
    ),
    (
        bodies.link(
            PHONE, "Veja", "https://a.b/c", title="T", description="D", image="https://a.b/i.png"
        ),
        "send-link",
        {
            "phone": PHONE,
            "message": "Veja https://a.b/c",
            "image": "https://a.b/i.png",
            "linkUrl": "https://a.b/c",
            "title": "T",
            "linkDescription": "D",
        },
    ),
    (
        bodies.image(PHONE, "https://a.b/i.png", "oi"),
        "send-image",
        {"phone": PHONE, "image": "https://a.b/i.png", "caption": "oi"},
    ),
    (
        bodies.document(PHONE, "https://a.b/f.pdf", ".PDF", "contrato", "aqui"),
        "send-document/pdf",
        {
            "phone": PHONE,
            "document": "https://a.b/f.pdf",
            "fileName": "contrato",
            "caption": "aqui",
        },
    ),
]


@pytest.mark.parametrize(("call", "method", "path", "body"), CALLS)
def test_each_call_goes_where_it_should(
    office: Office,
    partners: Partners,
    call: Callable[[ZApi], Any],
    method: str,
    path: str,
    body: Any,
) -> None:
    call(zapi())
    (seen,) = partners.book("whatsapp")
    assert (seen["method"], seen["path"], seen["status"]) == (method, f"{BASE}/{path}", 200)
    headers = {name.lower(): value for name, value in seen["headers"].items()}
    assert headers["client-token"] == "a-client-token"
    assert (json.loads(seen["body"]) if seen["body"] else None) == body


@pytest.mark.parametrize(("message", "path", "body"), SENDS, ids=[path for _, path, _ in SENDS])
def test_each_send_says_exactly_that(
    office: Office, partners: Partners, message: Outbound, path: str, body: dict[str, Any]
) -> None:
    answer = zapi().send(message.path, message.json)
    assert answer.accepted
    (seen,) = partners.book("whatsapp")
    assert (seen["method"], seen["path"]) == ("POST", f"{BASE}/{path}")
    assert json.loads(seen["body"]) == body
    assert Outbound.read(message.as_body()) == message


def test_values_are_what_the_provider_said(office: Office, partners: Partners) -> None:
    z = zapi()
    assert (z.status()["connected"], z.qr_code()) == (True, None)
    assert z.phone_exists(PHONE) and len(z.phone_code(PHONE)) == 10
    partners.disconnect_whatsapp(restorable=False)
    assert z.status()["smartphoneConnected"] is False
    image = z.qr_code()
    assert image and image.startswith("data:image/png;base64,")
    z.send(*_parts(bodies.text(PHONE, "espera")))
    (waiting,) = z.queue()["messages"]
    assert waiting["Message"] == "espera"
    assert z.purge(waiting["ZaapId"])
    assert z.queue()["messages"] == []


def _parts(message: Outbound) -> tuple[str, Any]:
    return message.path, message.json


def test_me_is_told_without_the_token(office: Office, partners: Partners) -> None:
    partners.api_key("whatsapp", "a-client-token", instance="INSTANCE", token=TOKEN)
    told = zapi().me()
    assert set(told) == {"name", "due", "connected", "paymentStatus"}
    assert TOKEN not in str(told)


@pytest.mark.parametrize(
    "mode", ["401", "404", "503", "bad_json", "refuse", "cut_status", "redirect"]
)
def test_an_error_never_shows_the_token(
    office: Office, partners: Partners, caplog: pytest.LogCaptureFixture, mode: str
) -> None:
    partners.mode("whatsapp", mode)
    with caplog.at_level(logging.DEBUG), pytest.raises(Unavailable) as problem:
        zapi().status()
    answer = zapi().send(*_parts(bodies.text(PHONE, "x")))
    shown = f"{problem.value} {problem.value.message} {answer!r} {caplog.text}"
    assert TOKEN not in shown
    assert "a-client-token" not in repr(zapi()._instance) and TOKEN not in repr(zapi()._instance)
