"""A sync as bare HTTP calls: read the pages, write each item, confirm it; nothing is kept.

Started as `python -m bench.pull SOURCE TARGET AT_ONCE`; prints the seconds that it took.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import uvloop

from app import clock
from app.syncs.actions.work import PER_PAGE
from app.syncs.rules.table import SYNCS

SYNC = SYNCS["crm_operacao"]
TODAY = clock.to_datetime(clock.now()).date()
Items = asyncio.Queue[dict[str, Any] | None]


async def pull(source: str, target: str, at_once: int) -> float:
    """Seconds from the first read to the last confirm, with `at_once` requests in flight."""
    started = time.monotonic()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        items: Items = asyncio.Queue()
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(_carry(session, source, target, items))
            async for item in _pages(session, source):
                items.put_nowait(item)
            for _ in range(at_once):
                items.put_nowait(None)
    return time.monotonic() - started


async def _pages(session: aiohttp.ClientSession, source: str) -> AsyncIterator[dict[str, Any]]:
    """All items of the source; nothing is confirmed before they are read, as pages would shift."""
    found: list[dict[str, Any]] = []
    page = last = 1
    while page <= last:
        query = {"per_page": str(PER_PAGE), "page": str(page)}
        async with session.get(f"{source}{SYNC.path}", params=query) as answer:
            document = await answer.json()
        found += document["data"]
        page, last = page + 1, document["meta"]["last_page"]
    for item in found:
        yield item


async def _carry(session: aiohttp.ClientSession, source: str, target: str, items: Items) -> None:
    """Item after item: the write, then the confirm with the id that the target gave."""
    while (item := await items.get()) is not None:
        write = SYNC.write(item, TODAY)
        async with session.request(write.method, target + write.path, json=write.body) as answer:
            made = (await answer.json())["data"]["id"]
        confirm = SYNC.confirm(item, str(made))
        async with session.request(confirm.method, source + confirm.path, json=confirm.body) as end:
            await end.read()
            end.raise_for_status()


if __name__ == "__main__":
    print(uvloop.run(pull(sys.argv[1], sys.argv[2], int(sys.argv[3]))))
