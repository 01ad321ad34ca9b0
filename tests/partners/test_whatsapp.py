"""Z-API as played: its calls, its refusals, and the queue while the phone is away."""

import base64
from typing import Any

import pytest
import requests

from tests.partners.client import Partners

PHONE = "5511988887777"
TEXT = {"phone": PHONE, "message": "Olá"}
LINK = {
    "phone": PHONE,
    "message": "Conte como foi https://x.vc/f",
    "image": "https://x.vc/i.png",
    "linkUrl": "https://x.vc/f",
    "title": "Avaliação",
    "linkDescription": "Um minuto",
}


def call(partners: Partners, method: str, path: str, **more: Any) -> requests.Response:
    address = f"{partners.url('whatsapp')}/instances/I1/token/T1/{path}"
    return requests.request(
        method, address, timeout=5, **{"headers": {"Client-Token": "C"}, **more}
    )


def send(partners: Partners, text: str) -> dict[str, Any]:
    message = {"phone": PHONE, "message": text}
    answer: dict[str, Any] = call(partners, "POST", "send-text", json=message).json()
    return answer


def test_it_works(partners: Partners) -> None:
    answer = send(partners, "Olá")
    assert set(answer) == {"zaapId", "messageId", "id"}
    (sent,) = partners.rows("whatsapp", "sent")
    assert (sent["phone"], sent["message"], sent["messageId"]) == (PHONE, "Olá", answer["id"])


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("send-text", TEXT),
        (
            "send-button-list",
            {**TEXT, "buttonList": {"buttons": [{"id": "rating_5", "label": "5"}]}},
        ),
        ("send-link", LINK),
        ("send-image", {"phone": PHONE, "image": "https://x.vc/i.png"}),
        ("send-document/pdf", {"phone": PHONE, "document": "https://x.vc/d.pdf"}),
    ],
)
def test_every_kind_is_sent(partners: Partners, path: str, body: dict[str, Any]) -> None:
    assert call(partners, "POST", path, json=body).status_code == 200
    assert len(partners.rows("whatsapp", "sent")) == 1


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("send-text", {"phone": PHONE}),
        ("send-text", {"phone": "+55 11", "message": "Olá"}),
        ("send-link", {**LINK, "message": "no address"}),
        ("send-link", {**LINK, "title": ""}),
        ("send-document", {"phone": PHONE, "document": "https://x.vc/d.pdf"}),
    ],
)
def test_incomplete_message_is_refused(partners: Partners, path: str, body: dict[str, Any]) -> None:
    assert call(partners, "POST", path, json=body).status_code == 400
    assert partners.rows("whatsapp", "sent") == []


def test_wrong_method_and_missing_type(partners: Partners) -> None:
    assert call(partners, "GET", "send-text").status_code == 405
    assert call(partners, "POST", "status", json={}).status_code == 405
    assert call(partners, "POST", "send-text", data=b"{}").status_code == 415
    assert call(partners, "GET", "nothing").status_code == 404


def test_client_token_and_instance_are_checked(partners: Partners) -> None:
    assert call(partners, "GET", "status", headers={}).status_code == 401
    partners.api_key("whatsapp", "other")
    assert call(partners, "GET", "status").status_code == 401
    partners.api_key("whatsapp", "C", instance="I1", token="T1")
    assert call(partners, "GET", "status").status_code == 200
    partners.api_key("whatsapp", "C", instance="I2")
    assert call(partners, "GET", "status").status_code == 404


def test_status_follows_the_phone(partners: Partners) -> None:
    up = call(partners, "GET", "status").json()
    assert up == {
        "connected": True,
        "smartphoneConnected": True,
        "error": "You are already connected.",
    }
    partners.disconnect_whatsapp()
    down = call(partners, "GET", "status").json()
    assert (down["connected"], down["smartphoneConnected"]) == (False, False)


def test_qr_code_is_a_picture(partners: Partners) -> None:
    partners.disconnect_whatsapp(restorable=False)
    value = call(partners, "GET", "qr-code/image").json()["value"]
    kind, _, data = value.partition(",")
    assert kind == "data:image/png;base64"
    assert base64.b64decode(data).startswith(b"\x89PNG")


@pytest.mark.parametrize("path", ["restart", "restore-session", "disconnect"])
def test_moves_answer_true(partners: Partners, path: str) -> None:
    assert call(partners, "GET", path).json() == {"value": True}


def test_other_reads(partners: Partners) -> None:
    assert len(call(partners, "GET", f"phone-code/{PHONE}").json()["value"]) == 10
    assert call(partners, "GET", "me").json()["paymentStatus"] == "PAYED"
    assert call(partners, "GET", f"phone-exists/{PHONE}").json() == [
        {"exists": True, "phone": PHONE}
    ]


def test_restore_helps_only_a_session_that_is_left(partners: Partners) -> None:
    partners.disconnect_whatsapp()
    call(partners, "GET", "restore-session")
    assert call(partners, "GET", "status").json()["connected"]
    call(partners, "GET", "disconnect")
    call(partners, "GET", "restore-session")
    assert not call(partners, "GET", "status").json()["connected"]


def test_messages_wait_and_go_out_on_reconnect(partners: Partners) -> None:
    partners.disconnect_whatsapp()
    for text in ("um", "dois", "três"):
        send(partners, text)
    assert partners.rows("whatsapp", "sent") == []
    partners.connect_whatsapp()
    sent = partners.rows("whatsapp", "sent")
    assert [message["message"] for message in sent] == ["um", "dois", "três"]


def test_queue_is_paged_and_purged(partners: Partners) -> None:
    partners.disconnect_whatsapp()
    ids = [send(partners, text)["zaapId"] for text in ("um", "dois", "três")]
    first = call(partners, "POST", "queue", json={"pageSize": 2, "pagingState": None}).json()
    assert [one["Message"] for one in first["messages"]] == ["um", "dois"]
    rest = {"pageSize": 2, "pagingState": first["pagingState"]}
    last = call(partners, "POST", "queue", json=rest).json()
    assert ([one["ZaapId"] for one in last["messages"]], last["hasMore"]) == ([ids[2]], False)
    assert call(partners, "DELETE", f"queue/{ids[1]}").status_code == 200
    assert call(partners, "DELETE", f"queue/{ids[1]}").status_code == 404
    assert len(partners.rows("whatsapp", "waiting")) == 2
    call(partners, "DELETE", "queue")
    partners.connect_whatsapp()
    assert partners.rows("whatsapp", "sent") == []


def test_a_thousand_may_wait(partners: Partners) -> None:
    partners.disconnect_whatsapp()
    with requests.Session() as session:
        address = f"{partners.url('whatsapp')}/instances/I1/token/T1/send-text"
        session.headers["Client-Token"] = "C"
        statuses = [session.post(address, json=TEXT, timeout=5).status_code for _ in range(1_001)]
    assert (statuses.count(200), statuses[-1]) == (1_000, 429)
