"""A load generator: raw HTTP/1.1 on kept connections, one request at a time on each.

`python -m bench.load` reads a JSON order on its standard input and prints a JSON answer. Where
the head or the body says @NUMBER@, each request gets a number of its own.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

import uvloop

MARK, DIGITS = b"@NUMBER@", 12


class Load:
    """What all connections share."""

    def __init__(self, order: dict[str, Any]) -> None:
        body = order["body"].encode()
        number = b"0" * DIGITS
        lines = [f"POST {order['path']} HTTP/1.1", "Host: 127.0.0.1",
                 "Content-Type: application/json",
                 f"Content-Length: {len(body.replace(MARK, number))}",
                 *(f"{name}: {value}" for name, value in order["headers"].items())]  # fmt: skip
        self.request = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
        self.next = time.time_ns() // 1000 % 10**9 * 1000
        self.end = time.monotonic() + order["seconds"]
        self.taken: list[float] = []
        self.refused = 0
        self.last = b""

    def fresh(self) -> bytes:
        """The next request."""
        self.next += 1
        return self.request.replace(MARK, b"%0*d" % (DIGITS, self.next))


class Connection(asyncio.Protocol):
    """Asks, waits, asks again."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.buffer = b""
        self.done = asyncio.get_running_loop().create_future()
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.transport = transport
        self.ask()

    def connection_lost(self, exc: Exception | None) -> None:
        """A connection that the server ends early counts as refused."""
        if not self.done.done():
            self.load.refused += 1
            self.done.set_result(None)

    def ask(self) -> None:
        """Send one request, unless the time is over."""
        if time.monotonic() >= self.load.end:
            self.done.set_result(None)
            self.transport.close()
            return
        self.asked = time.monotonic()
        self.transport.write(self.load.fresh())

    def data_received(self, data: bytes) -> None:
        """Note the answer once it is whole."""
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0 or len(self.buffer) < end + 4 + self._length(end):
            return
        if self.buffer[9:10] == b"2":
            self.load.taken.append(time.monotonic() - self.asked)
        else:
            self.load.refused += 1
            self.load.last = self.buffer[:300]
        self.buffer = b""
        self.ask()

    def _length(self, end: int) -> int:
        head = self.buffer[:end].lower() + b"\r\n"
        at = head.find(b"\r\ncontent-length: ")
        return 0 if at < 0 else int(head[at + 18 : head.find(b"\r\n", at + 18)])


async def _run(order: dict[str, Any]) -> dict[str, Any]:
    loop = asyncio.get_running_loop()
    load = Load(order)
    started = time.monotonic()
    made = [
        await loop.create_connection(lambda: Connection(load), "127.0.0.1", order["port"])
        for _ in range(order["connections"])
    ]
    await asyncio.gather(*(protocol.done for _, protocol in made))
    seconds = time.monotonic() - started
    return {
        "per_second": len(load.taken) / seconds,
        "milliseconds": [round(one * 1000, 3) for one in load.taken],
        "refused": load.refused,
        "last_refusal": load.last.decode(errors="replace"),
    }


if __name__ == "__main__":
    print(json.dumps(uvloop.run(_run(json.load(sys.stdin)))))
