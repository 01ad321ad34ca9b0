"""Twelve partners that misbehave, each in its own way: `python -m chaos.hostile_server`.

Prints their addresses as JSON; the behaviours are those of the sender's own tests, and three more.
"""

from __future__ import annotations

import asyncio
import gzip
import json

import uvloop

from tests.deliveries.rough import HOSTILE, OK, Handler, read_request, says

BOMB = gzip.compress(bytes(64 * 1024 * 1024), 9)
INSIDE = "http://169.254.169.254/latest/meta-data/"
REDIRECT = f"HTTP/1.1 307 Temporary Redirect\r\nLocation: {INSIDE}\r\nContent-Length: 0\r\n\r\n"
GZIP = f"Content-Encoding: gzip\r\nContent-Length: {len(BOMB)}\r\n\r\n".encode()

DRIP_SECONDS = 0.2


def drips(head: bytes) -> Handler:
    """A partner that sends a byte now and then, for ever."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(DRIP_SECONDS)

    return handler


PARTNERS: dict[str, Handler] = {
    "drip header": drips(OK + b"X-Slow: "),
    "drip body": drips(OK + b"Content-Length: 100000\r\n\r\n"),
    "endless body": HOSTILE["endless body"][0],
    "huge header": HOSTILE["huge header"][0],
    "half-close": HOSTILE["half-close in the head"][0],
    "reset": HOSTILE["reset"][0],
    "cut status line": HOSTILE["cut status line"][0],
    "short body": HOSTILE["short body"][0],
    "cut chunk": HOSTILE["cut chunk"][0],
    "redirect inside": says(REDIRECT.encode(), then="keep"),
    "gzip bomb": says(OK + GZIP, BOMB, then="keep"),
    "bad TLS": says(b"not a handshake"),
}
TLS = "bad TLS"


async def serve_one(name: str, handler: Handler) -> str:
    """Listen for one of them; its address."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                if name == TLS:
                    await reader.read(100)
                else:
                    await read_request(reader)
                await handler(reader, writer)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1024)
    port = server.sockets[0].getsockname()[1]
    return f"{'https' if name == TLS else 'http'}://127.0.0.1:{port}/in"


async def serve_all() -> None:
    """All of them, until killed."""
    found = {name: await serve_one(name, handler) for name, handler in PARTNERS.items()}
    print(json.dumps(found), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve_all())
