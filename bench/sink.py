"""The receiving end: a tiny HTTP server on loopback that answers as late as the path asks.

`/0/…`, `/50/…` answer after that many milliseconds, `/hang/…` never does. `/control/report` says
what came, `/control/arrivals` when each message came first, `/control/reset` forgets all of it.
Started as `python -m bench.sink`; it prints its port.
"""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import uvloop

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
LENGTH, MESSAGE, END = b"\r\ncontent-length: ", b"\r\nwebhook-id: ", b"\r\n"
HANG = -1.0


class Book:
    """What has arrived; times are milliseconds since the epoch."""

    def __init__(self) -> None:
        self.reset()
        self.open = 0

    def reset(self) -> None:
        """Begin again."""
        self.count = 0
        self.peak_open = 0
        self.first: dict[str, float] = {}

    def note(self, message: str) -> None:
        """One request, by its `webhook-id`."""
        self.count += 1
        self.first.setdefault(message, time.time() * 1000)

    def opened(self) -> None:
        """A request waits for its late answer."""
        self.open += 1
        self.peak_open = max(self.peak_open, self.open)

    def report(self) -> dict[str, int]:
        """Figures small enough to ask for many times a second."""
        return {
            "count": self.count,
            "distinct": len(self.first),
            "open": self.open,
            "peak_open": self.peak_open,
        }

    def control(self, path: str) -> Any:
        """Answer of one of the control paths."""
        if path == "/control/arrivals":
            return self.first
        if path == "/control/reset":
            self.reset()
        return self.report()


def field(head: bytes, name: bytes) -> bytes:
    """Value of a header in a lower-case head, b'' where there is none."""
    at = head.find(name)
    if at < 0:
        return b""
    start = at + len(name)
    end = head.find(END, start)
    return head[start : end if end >= 0 else len(head)]


def delay_of(path: bytes) -> float:
    """Seconds that the first part of the path asks for."""
    word = path.split(b"/", 2)[1]
    return HANG if word == b"hang" else int(word) / 1000 if word.isdigit() else 0.0


class Connection(asyncio.Protocol):
    """One kept-alive connection; requests may come in pieces or several at once."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.buffer = b""
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Take every whole request out of what has come."""
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end]
            lower = head.lower()
            total = end + 4 + int(field(lower, LENGTH) or 0)
            if len(self.buffer) < total:
                return
            self.buffer = self.buffer[total:]
            self.answer(head.split(b" ", 2)[1], field(lower, MESSAGE))

    def answer(self, path: bytes, message: bytes) -> None:
        """Now, later or never."""
        if path.startswith(b"/control/"):
            body = json.dumps(self.book.control(path.decode())).encode()
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n"
            self.transport.write(head.encode() + body)
            return
        self.book.note(message.decode())
        delay = delay_of(path)
        if delay == 0:
            self.transport.write(ANSWER)
        elif delay > 0:
            self.book.opened()
            asyncio.get_running_loop().call_later(delay, self.late)

    def late(self) -> None:
        """The answer whose time has come."""
        self.book.open -= 1
        if not self.transport.is_closing():
            self.transport.write(ANSWER)


async def serve() -> None:
    """Listen on a free port, print it, and go on until killed."""
    book = Book()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(book), "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve())
