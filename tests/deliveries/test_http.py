"""The sender against partners of every kind: real sockets, small deadlines."""

from __future__ import annotations

import asyncio
import gzip
import ipaddress
import socket
from typing import Any

import pytest

from app.deliveries.http import BODY_KEPT, Outgoing, Sender
from app.systems.rules.answer import Answer
from tests.deliveries.rough import GOOD, LOOPBACK, OK, ask, outgoing, partner, run, says


def test_a_good_partner_accepts() -> None:
    answer, got = run(ask(says(GOOD, then="keep")))
    assert answer.accepted
    assert (answer.status, answer.body, answer.error_class, answer.error) == (200, b"{}", "", "")
    assert answer.headers == {"Content-Type": "application/json"}
    assert got[0].startswith(b"POST /in HTTP/1.1\r\n")
    assert got[0].endswith(b'\r\n\r\n{"a":1}')


def test_the_request_carries_no_more_than_it_should() -> None:
    _, got = run(ask(says(GOOD, then="keep")))
    names = {
        line.split(b":")[0].lower() for line in got[0].split(b"\r\n\r\n")[0].split(b"\r\n")[1:]
    }
    assert names == {
        b"host", b"user-agent", b"accept", b"accept-encoding", b"content-type", b"content-length"
    }  # fmt: skip
    assert b"accept-encoding: identity" in got[0].lower()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_and_not_followed(status: int) -> None:
    async def story() -> None:
        async with partner(says(GOOD, then="keep")) as (inside, inner):
            head = f"HTTP/1.1 {status} Go\r\nLocation: {inside}\r\nContent-Length: 0\r\n\r\n"
            answer, _ = await ask(says(head.encode()))
            assert (answer.status, answer.error_class, answer.accepted) == (status, "", False)
            assert answer.headers["Location"] == inside
            assert inner == []

    run(story())


def test_a_compressed_answer_is_kept_compressed() -> None:
    body = gzip.compress(b'{"ok": true}' * 1_000)
    head = OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body)
    answer, _ = run(ask(says(head, body), seconds=5))
    assert answer.body == body[:BODY_KEPT]
    assert answer.accepted


def test_a_bomb_is_too_large_however_small_it_is_packed() -> None:
    bomb = gzip.compress(b"\0" * 20_000_000)
    head = OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    answer, _ = run(ask(says(head, bomb), seconds=5))
    assert (answer.error_class, answer.accepted) == ("too_large", False)


@pytest.mark.parametrize("status", [400, 404, 410, 429, 500, 503])
def test_an_error_answer_is_whole_but_not_accepted(status: int) -> None:
    head = f"HTTP/1.1 {status} No\r\nRetry-After: 7\r\nContent-Length: 3\r\n\r\nbad"
    answer, _ = run(ask(says(head.encode())))
    assert (answer.status, answer.body, answer.error_class) == (status, b"bad", "")
    assert answer.headers["Retry-After"] == "7"
    assert not answer.accepted


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\nuntil the end",
        b"HTTP/1.1 100 Continue\r\n\r\n" + GOOD,
    ],
)
def test_every_whole_2xx_is_accepted(raw: bytes) -> None:
    assert run(ask(says(raw)))[0].accepted


def test_an_unprintable_header_is_made_safe_to_store() -> None:
    answer, _ = run(ask(says(OK + b"Server: \xff\xfe caf\xc3\xa9\r\nContent-Length: 0\r\n\r\n")))
    assert answer.headers["Server"].isprintable()
    answer.headers["Server"].encode()


def test_nobody_listening_is_a_connection_error() -> None:
    async def story() -> Answer:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        async with Sender(LOOPBACK) as sender:
            return await sender.send(outgoing(f"http://127.0.0.1:{port}/"))

    answer = run(story())
    assert (answer.status, answer.error_class) == (None, "connect")


def test_connecting_has_its_own_deadline() -> None:
    async def story() -> Answer:
        # A listener whose queue is full answers nothing at all.
        with socket.socket() as busy:
            busy.bind(("127.0.0.1", 0))
            busy.listen(0)
            address = busy.getsockname()
            fillers = [socket.socket() for _ in range(4)]
            for filler in fillers:
                filler.setblocking(False)
                filler.connect_ex(address)
            out = Outgoing(f"http://127.0.0.1:{address[1]}/", b"", {}, 0.2, 30)
            async with Sender(LOOPBACK) as sender:
                answer = await sender.send(out)
            for filler in fillers:
                filler.close()
            return answer

    answer = run(story())
    assert answer.error_class == "timeout"
    assert answer.latency_ms < 2000


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "169.254.169.254",
     "10.0.0.1", "[fe80::1]", "[64:ff9b::7f00:1]"],
)  # fmt: skip
def test_an_address_inside_is_refused_when_connecting(host: str) -> None:
    async def story() -> None:
        async with partner(says(GOOD, then="keep")) as (url, got), Sender() as sender:
            port = url.rsplit(":", 1)[1]
            answer = await sender.send(outgoing(f"http://{host}:{port}"))
            assert (answer.status, answer.error_class) == (None, "blocked_address")
            assert got == []

    run(story())


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "127.1", "0177.0.0.1"])
def test_an_odd_spelling_of_an_address_never_connects(host: str) -> None:
    async def story() -> None:
        async with partner(says(GOOD, then="keep")) as (url, got), Sender() as sender:
            port = url.rsplit(":", 1)[1]
            answer = await sender.send(outgoing(f"http://{host}:{port}"))
            assert answer.error_class in ("blocked_address", "invalid_url", "dns")
            assert got == []

    run(story())


@pytest.mark.parametrize(
    "url", ["", "nonsense", "ftp://127.0.0.1/", "http://", "http://[::1", "http://a b/", "//x"]
)
def test_what_is_no_url_is_an_answer_too(url: str) -> None:
    async def story() -> Answer:
        async with Sender(LOOPBACK) as sender:
            return await sender.send(outgoing(url))

    answer = run(story())
    assert answer.status is None
    assert answer.error_class


def test_a_header_with_a_line_break_is_refused() -> None:
    async def story() -> None:
        async with partner(says(GOOD, then="keep")) as (url, got), Sender(LOOPBACK) as sender:
            answer = await sender.send(outgoing(url, **{"X-Event-Type": "a\r\nX-Evil: 1"}))
            assert answer.error_class == "protocol"
            assert got == []

    run(story())


def test_the_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert run(ask(says(GOOD, then="keep")))[0].accepted


def test_cookies_are_not_carried_on() -> None:
    async def story() -> None:
        raw = GOOD.replace(b"\r\n\r\n", b"\r\nSet-Cookie: a=b\r\n\r\n")
        async with partner(says(raw, then="keep")) as (url, got):
            named = url.replace("127.0.0.1", "localhost")
            async with Sender((*LOOPBACK, ipaddress.ip_network("::1"))) as sender:
                assert (await sender.send(outgoing(named))).accepted
                assert (await sender.send(outgoing(named))).accepted
            assert b"cookie" not in got[1].lower()

    run(story())


def test_connections_are_kept() -> None:
    peers: set[Any] = set()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peers.add(writer.get_extra_info("peername"))
        writer.write(GOOD)

    async def story() -> None:
        async with partner(handler) as (url, _), Sender(LOOPBACK) as sender:
            for _ in range(5):
                assert (await sender.send(outgoing(url))).accepted

    run(story())
    assert len(peers) == 1


def test_a_kept_connection_that_was_closed_meanwhile_costs_no_attempt() -> None:
    peers: list[Any] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = writer.get_extra_info("peername")
        if peer in peers:  # the second request on a connection is thrown away
            writer.transport.abort()
            raise ConnectionResetError
        peers.append(peer)
        writer.write(GOOD)

    async def story() -> None:
        async with partner(handler) as (url, got), Sender(LOOPBACK) as sender:
            assert (await sender.send(outgoing(url))).accepted
            assert (await sender.send(outgoing(url))).accepted
            assert len(got) == 3

    run(story())
    assert len(peers) == 2


def test_a_stray_answer_is_not_taken_for_the_next_one() -> None:
    async def story() -> None:
        stray = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray"
        counter = iter(range(9))

        async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if next(counter) == 0:
                writer.write(GOOD)
                await writer.drain()
                await asyncio.sleep(0.05)
                writer.write(stray)
            else:
                writer.write(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n")

        async with partner(handler) as (url, _), Sender(LOOPBACK) as sender:
            assert (await sender.send(outgoing(url))).accepted
            await asyncio.sleep(0.2)
            assert (await sender.send(outgoing(url))).status == 503

    run(story())


def test_a_cancelled_send_is_cancelled() -> None:
    async def story() -> None:
        async with partner(says(then="hang")) as (url, got), Sender(LOOPBACK) as sender:
            task = asyncio.create_task(sender.send(outgoing(url, seconds=30)))
            while not got:
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    run(story())


def test_a_hung_partner_does_not_delay_a_good_one() -> None:
    async def story() -> None:
        async with (
            partner(says(then="hang")) as (bad, _),
            partner(says(GOOD, then="keep")) as (good, _),
            Sender(LOOPBACK) as sender,
        ):
            hung = [asyncio.create_task(sender.send(outgoing(bad, 3))) for _ in range(50)]
            answers = [await sender.send(outgoing(good, 3)) for _ in range(20)]
            assert not any(task.done() for task in hung)
            assert [a.error for a in answers if not a.accepted] == []
            assert {answer.error_class for answer in await asyncio.gather(*hung)} == {"timeout"}

    run(story())
