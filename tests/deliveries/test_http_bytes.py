"""The bytes of an answer: what is whole, what is not, however they are cut and whatever they are.

An independent parser (h11, laxer than ours) is asked about everything that we would take.
"""

from __future__ import annotations

from itertools import pairwise

import h11
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.deliveries.http.problems import Garbled, TooLarge
from app.deliveries.http.reply import HEAD_LIMIT, HEADERS_READ, READ_LIMIT, Reply
from tests.deliveries.rough import OK, ask, run, says

CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
GOOD = OK + b"Content-Length: 2\r\n\r\n{}"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

WHOLE: dict[str, tuple[bytes, bool]] = {
    "a length": (GOOD, True),
    "no body": (OK + b"Content-Length: 0\r\n\r\n", True),
    "204": (b"HTTP/1.1 204 No Content\r\n\r\n", True),
    "no reason": (b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", True),
    "chunks": (CHUNKED + b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", True),
    "chunk extensions": (CHUNKED + b"2;a=b\r\nab\r\n0\r\n\r\n", True),
    "trailers": (CHUNKED + b"2\r\nab\r\n0\r\nX-Sum: 1\r\n\r\n", True),
    "a hint first": (CONTINUE + GOOD, True),
    "several hints first": (3 * (b"HTTP/1.1 103 Hints\r\nLink: a\r\n\r\n") + GOOD, True),
    "the partner closes": (OK + b"Connection: close\r\nContent-Length: 2\r\n\r\n{}", False),
    "an old partner": (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", False),
    "bytes behind the end": (GOOD + b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", False),
    "rubbish behind the end": (GOOD + b"rubbish", False),
}
ENDED_BY_CLOSING = {
    "no length": OK + b"\r\nuntil the end",
    "no length in HTTP/1.0": b"HTTP/1.0 200 OK\r\n\r\nuntil the end",
}
ODD = {
    "a length and chunks": OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and a length": OK + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n",
    "chunked twice": OK + b"Transfer-Encoding: chunked\r\n" * 2 + b"\r\n0\r\n\r\n",
    "a coding nobody asked for": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "a coding after chunked": OK + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "an unknown coding": OK + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "the same length twice": OK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    "a list of lengths": OK + b"Content-Length: 2, 2\r\n\r\n{}",
    "a signed length": OK + b"Content-Length: +2\r\n\r\n{}",
    "a negative length": OK + b"Content-Length: -2\r\n\r\n{}",
    "an endless length": OK + b"Content-Length: 99999999999999999999999\r\n\r\n{}",
    "an empty length": OK + b"Content-Length: \r\n\r\n{}",
    "a length in parts": OK + b"Content-Length: 1 2\r\n\r\n{}",
    "a negative chunk": CHUNKED + b"-1\r\n\r\n0\r\n\r\n",
    "a chunk without end": CHUNKED + b"fffffffffffffffff\r\n\r\n0\r\n\r\n",
    "a chunk that is too long": CHUNKED + b"1\r\nab\r\n0\r\n\r\n",
    "a blank after the size": CHUNKED + b"2 \r\nab\r\n0\r\n\r\n",
    "chunks on bare line feeds": CHUNKED + b"2\nab\n0\n\n",
    "a folded header": OK + b"X: a\r\n b\r\nContent-Length: 2\r\n\r\n{}",
    "a folded length": OK + b"Content-Length:\r\n 2\r\n\r\n{}",
    "bare line feeds": b"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}",
    "one bare line feed": OK + b"X: y\nContent-Length: 2\r\n\r\n{}",
    "bare returns": b"HTTP/1.1 200 OK\rContent-Length: 2\r\r{}",
    "a blank before the colon": OK + b"Content-Length : 2\r\n\r\n{}",
    "a blank before a header": OK + b" Content-Length: 2\r\n\r\n{}",
    "a NUL": OK + b"X: a\0b\r\nContent-Length: 2\r\n\r\n{}",
    "a header without a name": OK + b": x\r\nContent-Length: 2\r\n\r\n{}",
    "a header without a colon": OK + b"abc\r\nContent-Length: 2\r\n\r\n{}",
    "a long status": b"HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\n{}",
    "a signed status": b"HTTP/1.1 +20 OK\r\nContent-Length: 2\r\n\r\n{}",
    "HTTP/2.0": b"HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    "HTTP/0.9": b"HTTP/0.9 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    "RTSP": b"RTSP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    "RTSP after a hint": CONTINUE + b"RTSP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    "an empty line first": b"\r\n" + GOOD,
    "another protocol": b"HTTP/1.1 101 Go\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n" + GOOD,
    "too many headers": OK + b"X: y\r\n" * HEADERS_READ + b"Content-Length: 0\r\n\r\n",
    "a huge header": OK + b"X: " + b"y" * HEAD_LIMIT + b"\r\nContent-Length: 0\r\n\r\n",
    "a head without end": OK + b"X: " + b"y" * HEAD_LIMIT,
    "hints without end": CONTINUE * (HEAD_LIMIT // len(CONTINUE) + 1),
}


def fed(*parts: bytes) -> Reply:
    reply = Reply()
    for part in parts:
        if reply.feed(part):
            break
    return reply


def told(reply: Reply) -> tuple[object, ...]:
    return reply.status, bytes(reply.body), reply.headers, reply.whole


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_answer_is_one_wherever_it_is_cut(name: str) -> None:
    raw, reusable = WHOLE[name]
    at_once = fed(raw)
    assert at_once.whole
    assert at_once.reusable is reusable
    for cut in range(len(raw)):
        assert told(fed(raw[:cut], raw[cut:])) == told(at_once)
    assert told(fed(*(raw[at : at + 1] for at in range(len(raw))))) == told(at_once)


@pytest.mark.parametrize("name", ENDED_BY_CLOSING)
def test_an_answer_without_a_length_ends_with_its_connection(name: str) -> None:
    reply = fed(ENDED_BY_CLOSING[name])
    assert not reply.whole
    assert reply.end()
    assert bytes(reply.body) == b"until the end"
    assert not reply.reusable


@pytest.mark.parametrize("name", WHOLE)
def test_nothing_shorter_is_whole(name: str) -> None:
    raw = WHOLE[name][0].removesuffix(b"rubbish").partition(b"HTTP/1.1 500")[0]
    for cut in range(len(raw)):
        reply = fed(raw[:cut])
        assert not reply.end(), raw[:cut]


@pytest.mark.parametrize("name", ODD)
def test_an_odd_answer_is_never_whole(name: str) -> None:
    raw = ODD[name]
    for parts in ((raw,), tuple(raw[at : at + 1] for at in range(len(raw)))):
        with pytest.raises(Garbled):
            fed(*parts)


@pytest.mark.parametrize("name", ODD)
def test_an_odd_answer_is_a_failure(name: str) -> None:
    answer, _ = run(ask(says(ODD[name])))
    assert not answer.accepted
    assert answer.error_class == "protocol"


def test_a_body_is_read_up_to_its_limit() -> None:
    head = OK + b"Content-Length: %d\r\n\r\n"
    assert fed(head % READ_LIMIT, b"x" * READ_LIMIT).whole
    with pytest.raises(TooLarge):
        fed(head % (READ_LIMIT + 1), b"x" * (READ_LIMIT + 1))


def test_the_headers_of_a_hint_are_not_those_of_the_answer() -> None:
    hint = b"HTTP/1.1 103 Hints\r\nServer: a\r\nRetry-After: 9\r\n\r\n"
    assert fed(hint + GOOD).headers == {}


PIECES = (
    b"HTTP/1.1 ", b"HTTP/1.0 ", b"200 OK", b"204 ", b"100 C", b"503 ", b"\r\n", b"\r\n\r\n", b"\n",
    b"Content-Length: 2", b"Content-Length: 0", b"Content-Length:", b"Transfer-Encoding: chunked",
    b"Transfer-Encoding:", b"Connection: close", b"Connection: upgrade", b"X: y", b" ", b"\t",
    b"2\r\nab\r\n", b"0\r\n\r\n", b"0", b"{}", b";a=b", OK, GOOD, CHUNKED, CONTINUE,
)  # fmt: skip
GRAMMAR = st.lists(st.sampled_from(PIECES) | st.binary(max_size=3), max_size=12).map(b"".join)


@st.composite
def _bent(draw: st.DrawFn) -> bytes:
    """An answer in order with a few bytes replaced, put in or taken out."""
    raw = draw(st.sampled_from([each for each, _ in WHOLE.values()]))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(raw)))
        put = draw(st.binary(max_size=2) | st.sampled_from(PIECES))
        raw = raw[:at] + put + raw[at + draw(st.integers(0, 2)) :]
    return raw


def _reference(raw: bytes) -> int | None:
    """Status of the whole answer that h11 sees, None where it sees none."""
    peer = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 20)
    peer.send(h11.Request(method="POST", target="/", headers=[("Host", "x")]))
    peer.send(h11.EndOfMessage())
    peer.receive_data(raw)
    peer.receive_data(b"")
    status = None
    try:
        while not isinstance(event := peer.next_event(), h11.EndOfMessage):
            if isinstance(event, h11.ConnectionClosed) or event in (h11.NEED_DATA, h11.PAUSED):
                return None
            status = event.status_code if isinstance(event, h11.Response) else status
    except h11.RemoteProtocolError:
        return None
    return status


@settings(max_examples=600, deadline=None)
@given(GRAMMAR | _bent() | st.binary(max_size=80), st.lists(st.integers(0, 120), max_size=4))
@example(GOOD, [])
@example(CHUNKED + b"2\r\nab\r\n0\r\n\r\n", [40])
@example(b"HTTP/1.0 200 \x00\r\n*:\r\n\r\n", [])
@example(b"HTTP/1.0 200 \x0b\r\n*:\r\n\r\n", [])
def test_nothing_is_taken_that_a_reference_would_not_take(raw: bytes, cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(raw)]
    parts = [raw[start:end] for start, end in pairwise(edges)]
    try:
        reply = fed(*(part for part in parts if part))
    except (Garbled, TooLarge):
        return
    if reply.end():
        assert reply.status == _reference(raw)
