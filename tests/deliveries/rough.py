"""Partners that misbehave on purpose, for the tests of the sender: real sockets."""

from __future__ import annotations

import asyncio
import gzip
import ipaddress
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import uvloop

from app.deliveries.http import Outgoing, Sender
from app.systems.rules.answer import Answer

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
GOOD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
DEADLINE = 0.5
SLACK = 1.0
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def run(story: Coroutine[Any, Any, Any]) -> Any:
    """Run on the loop the workers use."""
    return uvloop.run(story)


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """One whole request."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1])
        for line in head.lower().split(b"\r\n")
        if line.startswith(b"content-length:")
    )
    return head + await reader.readexactly(length)


@asynccontextmanager
async def partner(
    handler: Handler, tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server of one behaviour: its address and the requests it got."""
    got: list[bytes] = []
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            while True:
                got.append(await read_request(reader))
                await handler(reader, writer)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{port}/in", got
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def outgoing(url: str, seconds: float = DEADLINE, **headers: str) -> Outgoing:
    return Outgoing(
        url, b'{"a":1}', {"Content-Type": "application/json", **headers}, seconds, seconds
    )


async def ask(handler: Handler, seconds: float = DEADLINE) -> tuple[Answer, list[bytes]]:
    """One request to a partner of that behaviour."""
    async with partner(handler) as (url, got), Sender(LOOPBACK) as sender:
        return await sender.send(outgoing(url, seconds)), got


def says(*parts: bytes, then: str = "close") -> Handler:
    """A partner that writes the parts, then closes, resets, or keeps the connection."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
        if then == "keep":
            return
        await writer.drain()
        if then == "reset":
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()
        elif then == "half":
            writer.write_eof()
            await reader.read()
        elif then == "hang":
            await reader.read()
        raise ConnectionResetError

    return handler


def drips(head: bytes, drop: bytes) -> Handler:
    """A partner that sends a byte now and then, for ever."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while True:
            writer.write(drop)
            await writer.drain()
            await asyncio.sleep(0.02)

    return handler


async def floods(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A partner whose body never ends."""
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"1000\r\n" + b"x" * 4096 + b"\r\n")
        await writer.drain()


OK = b"HTTP/1.1 200 OK\r\n"
BOMB = gzip.compress(bytes(4 * 1024 * 1024), 9)
PACKED = OK + f"Content-Encoding: gzip\r\nContent-Length: {len(BOMB)}\r\n\r\n".encode()
HOSTILE: dict[str, tuple[Handler, str]] = {
    "drip header": (drips(OK, b"X"), "timeout"),
    "drip headers": (drips(OK, b"X-A: b\r\n"), "timeout"),
    "drip body": (drips(OK + b"Content-Length: 100000\r\n\r\n", b"x"), "timeout"),
    "endless informational answers": (drips(b"", b"HTTP/1.1 103 Hint\r\n\r\n"), "timeout"),
    "endless body": (floods, "too_large"),
    "large body": (says(OK + b"Content-Length: 65537\r\n\r\n", b"x" * 65537), "too_large"),
    "gzip bomb": (says(PACKED, BOMB, then="keep"), "too_large"),
    "huge header": (says(OK + b"X-Big: " + b"x" * 100_000 + b"\r\n\r\n"), "protocol"),
    "many headers": (says(OK + b"X: y\r\n" * 1000 + b"\r\n"), "protocol"),
    "half-close without an answer": (says(then="half"), "cut_off"),
    "half-close in the head": (says(OK + b"Content-Le", then="half"), "cut_off"),
    "close without an answer": (says(), "cut_off"),
    "reset": (says(then="reset"), "cut_off"),
    "reset in the body": (says(OK + b"Content-Length: 9\r\n\r\nx", then="reset"), "cut_off"),
    "cut status line": (says(b"HTTP/1.1 200 OK"), "cut_off"),
    "cut after the status line": (says(OK), "cut_off"),
    "cut headers": (says(OK + b"Content-Length: 2\r\n"), "cut_off"),
    "short body": (says(OK + b"Content-Length: 10\r\n\r\nx"), "cut_off"),
    "cut chunk": (says(OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab"), "cut_off"),
    "missing last chunk": (says(OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n"), "cut_off"),
    "bad chunk": (says(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n0\r\n\r\n"), ""),
    "bad length": (says(OK + b"Content-Length: -1\r\n\r\n"), "protocol"),
    "two lengths": (says(OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"), "protocol"),
    "not HTTP": (says(b"SSH-2.0-OpenSSH_9.2\r\n"), "protocol"),
    "hang": (says(then="hang"), "timeout"),
    "hang in the body": (says(OK + b"Content-Length: 2\r\n\r\n{", then="hang"), "timeout"),
}
