"""The systems behind the hub: receive, check signatures, answer as told, keep books.

`python -m chaos.target_server` prints its two ports: of the systems (`/crm/…`) and of the control,
which takes and gives one JSON object a line.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from typing import Any

import uvloop

from bench.sink import LENGTH, field
from tests.partners.proofs import is_signed

POISON, KILLER = "poison", "killer"
ACCEPTED, REFUSED, FAILED, HELD, FORGED = "accepted", "refused", "failed", "held", "forged"
DRIP_SECONDS = 1.0
STATUS = {200: "OK", 400: "Bad Request", 404: "Not Found", 503: "Service Unavailable"}


class Books:
    """Every request that came, and how the systems answer now."""

    def __init__(self) -> None:
        self.secrets: dict[str, list[str]] = {}
        self.modes: dict[str, str] = {}
        # [ms, system, message id, event id, number, outcome, local port of the sender]
        self.entries: list[list[Any]] = []
        self.open: Counter[int] = Counter()
        self.held: dict[int, str] = {}

    def order(self, given: dict[str, Any]) -> Any:
        """One order of the control."""
        match given.pop("do"):
            case "secrets":
                self.secrets = given["secrets"]
            case "mode":
                self.modes[given["system"]] = given["mode"]
            case "entries":
                return self.entries[given["since"] :]
            case "forget":
                self.entries.clear()
        return {"received": len(self.entries), "open": dict(self.open), "held": self.held}


def head_of(head: bytes) -> dict[str, str]:
    """Headers of a request, names as the verifiers look for them."""
    lines = head.decode("latin-1").split("\r\n")[1:]
    pairs = (line.partition(":") for line in lines)
    plain = {name.strip().lower(): value.strip() for name, _, value in pairs}
    return plain | {"X-Webhook-Signature": plain.get("x-webhook-signature", "")}


class Connection(asyncio.Protocol):
    """One kept-alive connection of the hub."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.buffer = b""
        self.port = 0
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Know who is there."""
        self.transport = transport
        self.port = transport.get_extra_info("peername")[1]

    def connection_lost(self, exc: Exception | None) -> None:
        """Whatever was open on it is so no longer."""
        self.books.open.pop(self.port, None)
        self.books.held.pop(self.port, None)

    def data_received(self, data: bytes) -> None:
        """Take every whole request out of what has come."""
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end]
            total = end + 4 + int(field(head.lower(), LENGTH) or 0)
            if len(self.buffer) < total:
                return
            body, self.buffer = self.buffer[end + 4 : total], self.buffer[total:]
            self.take(head, body)

    def take(self, head: bytes, body: bytes) -> None:
        """Judge one request and answer it as its system does now."""
        system = head.split(b" ", 2)[1].decode().strip("/").partition("/")[0]
        headers = head_of(head)
        mode = self.books.modes.get(system, "ok")
        if not head.startswith(b"POST") or "webhook-id" not in headers:
            self.books.open[self.port] += 1
            # A call to its API: nothing is found, whatever is written is number 1.
            found = b'{"data":[]}' if head.startswith(b"GET") else b'{"data":{"id":1}}'
            self.react(mode, ACCEPTED, "", found)
            return
        content = json.loads(body)
        told = content.get("number"), content.get("mark")
        secrets = self.books.secrets
        # With no secrets agreed on everything passes, as with a system that does not check.
        signed = not secrets or is_signed(secrets.get(system, ()), headers, body)
        outcome = judge(mode, signed, told[1])
        self.books.entries.append(
            [time.time_ns() // 1_000_000, system, headers["webhook-id"],
             content["_meta"]["event_id"], told[0], outcome, self.port]
        )  # fmt: skip
        self.books.open[self.port] += 1
        self.react(mode, outcome, headers["webhook-id"])

    def react(self, mode: str, outcome: str, message: str, found: bytes = b"{}") -> None:
        """Answer, or do whatever the mode says instead."""
        if outcome == HELD:
            self.books.held[self.port] = message
        elif outcome in (FORGED, REFUSED):
            self.answer(400)
        elif mode.startswith("slow:"):
            asyncio.get_running_loop().call_later(int(mode[5:]) / 1000, self.answer, 200, found)
        elif mode == "reset":
            self.transport.abort()
        elif mode == "tarpit":
            self.transport.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            self.drip()
        elif mode != "hang":
            self.answer(200 if mode == "ok" else int(mode), found)

    def drip(self) -> None:
        """One more byte of a header that never ends."""
        if not self.transport.is_closing():
            self.transport.write(b"a")
            asyncio.get_running_loop().call_later(DRIP_SECONDS, self.drip)

    def answer(self, status: int, body: bytes = b"{}") -> None:
        """A short whole answer."""
        if self.transport.is_closing():
            return
        self.books.open[self.port] -= 1
        first = f"HTTP/1.1 {status} {STATUS.get(status, 'Status')}\r\n"
        length = f"Content-Length: {len(body)}\r\n\r\n"
        self.transport.write(f"{first}{length}".encode() + body)


def judge(mode: str, signed: bool, mark: str | None) -> str:
    """What becomes of a request: only what is answered with 2xx to its end is accepted."""
    if not signed:
        return FORGED
    if mode != "ok" and not mode.startswith("slow:"):
        return FAILED
    if mark == KILLER:
        return HELD
    return REFUSED if mark == POISON else ACCEPTED


async def obey(books: Books, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Orders of the driver, one a line."""
    while line := await reader.readline():
        writer.write(json.dumps(books.order(json.loads(line))).encode() + b"\n")
        await writer.drain()


async def serve() -> None:
    """Listen on two free ports, print them, and go on until killed."""
    books = Books()
    loop = asyncio.get_running_loop()
    systems = await loop.create_server(lambda: Connection(books), "127.0.0.1", 0, backlog=4096)
    control = await asyncio.start_server(
        lambda reader, writer: obey(books, reader, writer), "127.0.0.1", 0
    )
    ports = [server.sockets[0].getsockname()[1] for server in (systems, control)]
    print(json.dumps(ports), flush=True)
    await systems.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve())
