"""The switches: how a system misbehaves, played on the real connection."""

import asyncio
import os
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from aiohttp.web_request import BaseRequest

Handle = Callable[[], web.Response]
CUT_ANSWERS = {
    "cut_status": b"HTTP/1.1 200 OK",
    "short_body": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    b'Content-Length: 400\r\n\r\n{"data":',
    "cut_chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n{",
    "huge_header": b"HTTP/1.1 200 OK\r\nX-Huge: " + b"a" * 1_000_000 + b"\r\n\r\n",
    "not_http": b"SSH-2.0-OpenSSH_9.2\r\n",
}
STREAMS = {
    "drip": (b"HTTP/1.1 200 OK\r\nX-Drip: ", b"a", 1_000),
    "drip_body": (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"a", 1_000),
    "endless": (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", b"a" * 65_536, 1),
}
KINDS = {
    "ok",
    "slow",
    "refuse",
    "hang",
    "lost",
    "held",
    "bad_json",
    "answer",
    "redirect",
    *CUT_ANSWERS,
    *STREAMS,
}


class UnknownMode(Exception):
    """No such switch."""


@dataclass(slots=True)
class Fault:
    """One switch, and the requests that it applies to."""

    kind: str
    ms: int | None = None
    retry_after: str | None = None
    times: int | None = None
    body_contains: bytes = b""
    path_contains: str = ""
    method: str = ""
    # What the kind `answer` answers.
    text: str = ""

    @classmethod
    def read(cls, values: dict[str, Any]) -> "Fault":
        """Build one from the control API; an empty field counts as not given."""
        given = {key: value for key, value in values.items() if value not in (None, "")}
        kind = str(given.get("mode", "ok"))
        if kind not in KINDS and not _is_status(kind):
            raise UnknownMode(kind)
        return cls(
            kind=kind,
            ms=int(given["ms"]) if "ms" in given else None,
            retry_after=str(given["retry_after"]) if "retry_after" in given else None,
            times=int(given["times"]) if "times" in given else None,
            body_contains=str(given.get("body_contains", "")).encode(),
            path_contains=str(given.get("path_contains", "")),
            method=str(given.get("method", "")).upper(),
            text=str(given.get("text", "")),
        )

    def matches(self, method: str, path: str, body: bytes) -> bool:
        """Whether this request is one of those that it applies to."""
        return (
            self.times != 0
            and self.method in ("", method)
            and self.path_contains in path
            and self.body_contains in body
        )

    def is_total(self) -> bool:
        """Whether it applies to every request for as long as it is set."""
        return self.times is None and not (self.body_contains or self.path_contains or self.method)

    def as_json(self) -> dict[str, Any]:
        """The switch as the control API shows it, fields without a value left out."""
        shown = {name: getattr(self, name) for name in self.__slots__ if name != "kind"}
        shown["body_contains"] = self.body_contains.decode()
        return {"mode": self.kind, **{k: v for k, v in shown.items() if v not in (None, "")}}


def _is_status(kind: str) -> bool:
    return kind.isdigit() and 200 <= int(kind) <= 599


async def play(
    fault: Fault, request: BaseRequest, released: asyncio.Event, handle: Handle
) -> tuple[int, web.Response]:
    """Answer as the switch says: the status on the wire (0: none whole) and the response."""
    if _is_status(fault.kind):
        return int(fault.kind), _status_answer(fault)
    if fault.kind in STREAMS:
        return await _stream(fault, request, released)
    if fault.kind in CUT_ANSWERS:
        return _cut(CUT_ANSWERS[fault.kind], request)
    return await PLAYS[fault.kind](fault, request, released, handle)


def _status_answer(fault: Fault) -> web.Response:
    wait = fault.retry_after or ("5" if fault.kind == "429" else None)
    headers = {"Retry-After": wait} if wait else None
    document = {"error": f"The partner was told to answer {fault.kind}"}
    return web.json_response(document, status=int(fault.kind), headers=headers)


async def _slow(
    fault: Fault, request: BaseRequest, released: asyncio.Event, handle: Handle
) -> tuple[int, web.Response]:
    await asyncio.sleep((fault.ms or 2_000) / 1_000)
    response = handle()
    return response.status, response


async def _hang(
    fault: Fault, request: BaseRequest, released: asyncio.Event, handle: Handle
) -> tuple[int, web.Response]:
    await released.wait()
    return 0, _reset(request)


async def _refuse(
    fault: Fault, request: BaseRequest, released: asyncio.Event, handle: Handle
) -> tuple[int, web.Response]:
    return 0, _reset(request)


async def _lost(
    fault: Fault, request: BaseRequest, released: asyncio.Event, handle: Handle
) -> tuple[int, web.Response]:
    """Do the work, then cut the connection before a word of the answer."""
    status = handle().status
    return status, _reset(request)


async def _held(
    fault: Fault, request: BaseRequest, released: asyncio.Event, handle: Handle
) -> tuple[int, web.Response]:
    """Do the work at once, and answer only when the switch changes."""
    response = handle()
    await released.wait()
    return response.status, response


async def _bad_json(
    fault: Fault, request: BaseRequest, released: asyncio.Event, handle: Handle
) -> tuple[int, web.Response]:
    """Do the work, then answer with JSON that breaks off."""
    status = handle().status
    broken = web.Response(body=b'{"data": [{"id": tru', status=status)
    broken.content_type = "application/json"
    return status, broken


async def _answer(
    fault: Fault, request: BaseRequest, released: asyncio.Event, handle: Handle
) -> tuple[int, web.Response]:
    """Do the work, then answer with the given text as JSON."""
    status = handle().status
    return status, web.Response(text=fault.text, status=status, content_type="application/json")


async def _redirect(
    fault: Fault, request: BaseRequest, released: asyncio.Event, handle: Handle
) -> tuple[int, web.Response]:
    """Point to a path of our own: the book shows whether somebody followed."""
    return 307, web.Response(status=307, headers={"Location": f"{request.path}/redirected"})


async def _stream(
    fault: Fault, request: BaseRequest, released: asyncio.Event
) -> tuple[int, web.Response]:
    head, piece, pause = STREAMS[fault.kind]
    transport = request.transport
    if transport is not None:
        transport.write(head)
    while transport is not None and not transport.is_closing() and not released.is_set():
        if transport.get_write_buffer_size() < len(piece) * 4:
            transport.write(piece)
        await asyncio.sleep((fault.ms or pause) / 1_000)
    return 0, _reset(request)


def _cut(start: bytes, request: BaseRequest) -> tuple[int, web.Response]:
    """Send the start of an answer and end the connection in the middle of it."""
    if request.transport is not None:
        request.transport.write(start)
        request.transport.close()
    return 0, web.Response()


def _reset(request: BaseRequest) -> web.Response:
    """End the connection with a TCP reset; the response goes nowhere."""
    if request.transport is not None:
        reset(request.transport)
    return web.Response()


def reset(transport: asyncio.Transport) -> None:
    """Abort so that the peer sees a reset, not an orderly end."""
    bare = transport.get_extra_info("socket")
    if bare is not None and bare.fileno() >= 0:
        with socket.socket(fileno=os.dup(bare.fileno())) as copy:
            copy.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


Play = Callable[[Fault, BaseRequest, asyncio.Event, Handle], Awaitable[tuple[int, web.Response]]]
PLAYS: dict[str, Play] = {
    "slow": _slow,
    "hang": _hang,
    "refuse": _refuse,
    "lost": _lost,
    "held": _held,
    "bad_json": _bad_json,
    "answer": _answer,
    "redirect": _redirect,
}
