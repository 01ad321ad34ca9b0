"""The senders: they post events at a steady rate and repeat the same id until a 2xx comes.

`python -m chaos.posting` reads its order (JSON) from standard input and writes one JSON line per
request to the file named there.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from itertools import count
from typing import IO, Any

import aiohttp
import uvloop

REQUEST_SECONDS = 10.0
PAUSE = 0.1
GIVE_UP_SECONDS = 120.0
# So many people: steps of automations about the same one wait for each other.
PHONES = 20


class Senders:
    """What all of them share: the next event, and the book."""

    def __init__(self, order: dict[str, Any], book: IO[str]) -> None:
        self.order = order
        self.book = book
        self.numbers = iter(range(order["count"])) if order["count"] else count()
        self.start = time.monotonic()
        self.marks: dict[str, str] = order["marks"]

    async def one(self, session: aiohttp.ClientSession) -> None:
        """Take the next event when it is due, and see it through."""
        for number in self.numbers:
            await asyncio.sleep(self.start + number / self.order["rate"] - time.monotonic())
            if "seconds" in self.order and time.monotonic() - self.start > self.order["seconds"]:
                return
            end = time.monotonic() + GIVE_UP_SECONDS
            while not await self.post(session, number) and time.monotonic() < end:
                await asyncio.sleep(PAUSE)

    async def post(self, session: aiohttp.ClientSession, number: int) -> bool:
        """One request; whether it was accepted."""
        body, began = self.body(number), now()
        status, id_, error = 0, None, ""
        try:
            async with session.post(self.order["url"], data=body) as answer:
                told = await answer.json(content_type=None)
                status = answer.status
                id_ = told["data"]["id"] if 200 <= status < 300 else None
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError, KeyError) as problem:
            error = type(problem).__name__
        line = {"n": number, "began": began, "ended": now(), "status": status, "id": id_}
        self.book.write(json.dumps(line | {"error": error}) + "\n")
        self.book.flush()
        return id_ is not None

    def body(self, number: int) -> bytes:
        """The event of a number: the same bytes on every try."""
        payload = {"number": number, "mark": self.marks.get(str(number), "")}
        payload["name"] = f"Pessoa {number}"
        payload["phone"] = f"119{80_000_000 + number % PHONES}"
        payload["text"] = "o que passa pela central todos os dias, " * 10
        event = {
            "event_type": self.order["event_type"],
            "source_system": "site",
            "idempotency_key": f"{self.order['name']}-{number}",
            "payload": payload,
        }
        return json.dumps(event, ensure_ascii=False).encode()


def now() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


async def post_all(order: dict[str, Any]) -> None:
    """All senders at once, until the last event is through."""
    headers = {"X-API-Key": order["key"], "Content-Type": "application/json"}
    limit = aiohttp.ClientTimeout(total=REQUEST_SECONDS)
    connector = aiohttp.TCPConnector(limit=0)
    with open(order["book"], "w", encoding="utf-8") as book:  # noqa: ASYNC230, PTH123
        senders = Senders(order, book)
        async with aiohttp.ClientSession(
            connector=connector, timeout=limit, headers=headers, trust_env=False
        ) as session:
            await asyncio.gather(*(senders.one(session) for _ in range(order["senders"])))


if __name__ == "__main__":
    uvloop.run(post_all(json.load(sys.stdin)))
