"""Each switch, for real over TCP."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
import requests

from tests.partners.client import Partners

PATH = "/api/v1/webhooks/events"


def post(
    partners: Partners, body: str = "{}", timeout: float = 5, **more: object
) -> requests.Response:
    headers = {"webhook-id": "msg_1"}
    address = partners.url("crm") + PATH
    return requests.post(
        address, data=body, headers=headers, timeout=timeout, allow_redirects=False
    )


def shared_post(partners: Partners, timeout: float = 5) -> requests.Response:
    return requests.post(f"{partners.base}/crm{PATH}", data="{}", timeout=timeout)


def raw(partners: Partners, enough: int, seconds: float = 3) -> bytes:
    """Send one request by hand and read so many bytes, or to the end."""
    where = urlsplit(partners.url("crm"))
    with socket.create_connection((where.hostname, where.port), timeout=seconds) as line:
        line.sendall(f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{{}}".encode())
        answer = b""
        while len(answer) < enough and (piece := line.recv(65_536)):
            answer += piece
    return answer


@pytest.mark.parametrize("status", [200, 204, 301, 400, 404, 422, 500, 503])
def test_status(partners: Partners, status: int) -> None:
    partners.mode("crm", str(status))
    assert post(partners).status_code == status
    (entry,) = partners.book("crm")
    assert (entry["mode"], entry["status"]) == (str(status), status)


def test_ok_again(partners: Partners) -> None:
    partners.mode("crm", "500")
    assert partners.mode("crm", "ok")["mode"] == "ok"
    assert post(partners).status_code == 200


def test_too_many_says_when_to_come_back(partners: Partners) -> None:
    partners.mode("crm", "429", retry_after=7)
    assert post(partners).headers["Retry-After"] == "7"
    partners.mode("crm", "503", retry_after="Wed, 21 Oct 2026 07:28:00 GMT")
    assert post(partners).headers["Retry-After"].startswith("Wed")


def test_slow(partners: Partners) -> None:
    partners.mode("crm", "slow", ms=150)
    start = time.monotonic()
    assert post(partners).status_code == 200
    assert time.monotonic() - start >= 0.15


def test_slow_beyond_patience_accepts_nothing(partners: Partners) -> None:
    partners.mode("crm", "slow", ms=60_000)
    with pytest.raises(requests.ReadTimeout):
        post(partners, timeout=0.1)
    assert partners.messages("crm") == {}


def test_refuse_on_its_own_port_is_no_connection(partners: Partners) -> None:
    where = urlsplit(partners.url("crm"))
    partners.mode("crm", "refuse")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((where.hostname, where.port), timeout=3)
    partners.mode("crm", "ok")
    assert post(partners).status_code == 200


def test_refuse_cuts_connections_that_are_open(partners: Partners) -> None:
    with requests.Session() as session:
        session.post(partners.url("crm") + PATH, data="{}", timeout=5)
        partners.mode("crm", "refuse")
        with pytest.raises(requests.ConnectionError):
            session.post(partners.url("crm") + PATH, data="{}", timeout=5)


def test_refuse_on_the_shared_port_is_a_reset(partners: Partners) -> None:
    partners.mode("crm", "refuse")
    with pytest.raises(requests.ConnectionError):
        shared_post(partners)
    assert requests.get(f"{partners.base}/site/health", timeout=5).ok


def test_hang_until_switched(partners: Partners) -> None:
    partners.mode("crm", "hang")
    with pytest.raises(requests.ReadTimeout):
        post(partners, timeout=0.1)
    assert partners.book("crm")[0]["status"] == 0
    assert partners.counters("crm")["accepted"] == 0


def test_bad_json(partners: Partners) -> None:
    partners.mode("crm", "bad_json")
    answer = post(partners)
    assert answer.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        answer.json()


def test_redirect_is_seen_when_followed(partners: Partners) -> None:
    partners.mode("crm", "redirect", times=1)
    answer = post(partners)
    assert (answer.status_code, answer.headers["Location"]) == (307, f"{PATH}/redirected")
    partners.mode("crm", "redirect", times=1)
    shared_post(partners)
    assert partners.book("crm", path="redirected")


@pytest.mark.parametrize(
    ("mode", "start"),
    [
        ("drip", b"HTTP/1.1 200 OK\r\nX-Drip: aaaaa"),
        ("drip_body", b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\naaaaa"),
        ("endless", b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\naaaaa"),
    ],
)
def test_stream_never_ends(partners: Partners, mode: str, start: bytes) -> None:
    partners.mode("crm", mode, ms=5)
    assert raw(partners, enough=len(start)).startswith(start)
    assert partners.messages("crm") == {}


@pytest.mark.parametrize(
    ("mode", "end"),
    [
        ("cut_status", b"HTTP/1.1 200 OK"),
        ("short_body", b'{"data":'),
        ("cut_chunk", b"20\r\n{"),
        ("not_http", b"OpenSSH_9.2\r\n"),
        ("huge_header", b"aaaa\r\n\r\n"),
    ],
)
def test_answer_is_cut_off(partners: Partners, mode: str, end: bytes) -> None:
    partners.mode("crm", mode)
    assert raw(partners, enough=2_000_000).endswith(end)
    assert partners.counters("crm")["accepted"] == 0


def test_held_does_the_work_and_answers_when_the_switch_changes(partners: Partners) -> None:
    partners.mode("crm", "held", method="POST")
    with ThreadPoolExecutor(1) as pool:
        url = f"{partners.url('crm')}/api/v1/leads"
        answer = pool.submit(requests.post, url, json={"phone": "5511987654321"}, timeout=10)
        partners.wait_for(lambda: partners.rows("crm", "leads"))
        assert not answer.done()
        partners.mode("crm", "ok")
        assert answer.result(10).status_code == 201


def test_lost_does_the_work_without_an_answer(partners: Partners) -> None:
    partners.mode("crm", "lost", times=1)
    address, lead = f"{partners.url('crm')}/api/v1/leads", {"phone": "5511988887777"}
    headers = {"Idempotency-Key": "k"}
    with pytest.raises(requests.ConnectionError):
        requests.post(address, json=lead, headers=headers, timeout=5)
    assert requests.post(address, json=lead, headers=headers, timeout=5).status_code == 201
    assert len(partners.rows("crm", "leads")) == 1


def test_next_two_fail_then_ok(partners: Partners) -> None:
    partners.mode("crm", "500", times=2)
    assert [post(partners).status_code for _ in range(3)] == [500, 500, 200]
    assert partners.messages("crm") == {"msg_1": 1}


def test_poison_fails_beside_the_mode(partners: Partners) -> None:
    partners.poison("crm", "veneno", 400)
    bodies = ('{"a":"veneno"}', '{"a":"bom"}')
    assert [post(partners, body).status_code for body in bodies] == [400, 200]
    partners.mode("crm", "503", add=True)
    assert [post(partners, body).status_code for body in bodies] == [400, 503]


def test_only_one_path_fails(partners: Partners) -> None:
    partners.mode("crm", "500", path_contains="/confirm/", method="post")
    assert post(partners).status_code == 200
    address = f"{partners.url('crm')}/api/v1/sync/confirm/1"
    assert requests.post(address, json={}, timeout=5).status_code == 500


@pytest.mark.parametrize("mode", ["nonsense", "99", "777"])
def test_unknown_mode_is_refused(partners: Partners, mode: str) -> None:
    with pytest.raises(requests.HTTPError):
        partners.mode("crm", mode)


def test_systems_fail_on_their_own(partners: Partners) -> None:
    partners.mode("crm", "hang")
    assert requests.get(f"{partners.url('site')}/health", timeout=5).ok


def test_page_shows_and_flips_the_switches(partners: Partners) -> None:
    page = f"{partners.base}/_partners/ui"
    assert "Conta-gotas" in requests.get(page, timeout=5).text
    pressed = requests.post(f"{page}/crm", data={"mode": "503"}, timeout=5)
    assert pressed.status_code == 200
    assert 'id="crm" class="faulty"' in pressed.text
    requests.post(f"{page}/whatsapp", data={"mode": "disconnect"}, timeout=5)
    assert "Ler o QR code" in requests.get(page, timeout=5).text
    assert (
        requests.get(f"{page}/style.css", timeout=5).headers["Content-Type"]
        == "text/css; charset=utf-8"
    )


def test_json_is_understood_whatever_it_is_called(partners: Partners) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    address = f"{partners.base}/_partners/crm/mode"
    answer = requests.post(address, data='{"mode": "503"}', headers=form, timeout=5)
    assert answer.json()["mode"] == "503"
    page = requests.get(f"{partners.base}/_partners/ui", timeout=5).text
    assert '<option value="503" selected>' in page


def test_answers_what_it_was_told(partners: Partners) -> None:
    partners.mode("crm", "answer", text='{"id": "\\ud800"}', times=1)
    assert post(partners).content == b'{"id": "\\ud800"}'
    (entry,) = partners.book("crm")
    assert (entry["mode"], entry["status"]) == ("answer", 200)
    assert post(partners).json() == {"received": True}
