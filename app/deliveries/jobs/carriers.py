"""Senders that block, in a small pool of threads: what does not leave from the loop itself."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor

from flask import Flask

from app import pipeline
from app.deliveries.actions.claim import Claimed
from app.systems.rules.answer import Answer

# So many messages of a kind are under way at once in a worker; all of them fit into a lease.
THREADS = 8
# Below the shortest lease in use by enough to write the outcome down.
GRACE_SECONDS = 3.0

log = logging.getLogger(__name__)


class Carriers:
    """Runs the senders of the map (`pipeline.SENDERS`), each call under a deadline of its own."""

    def __init__(self, app: Flask, lease_seconds: float) -> None:
        self._app = app
        self._deadline = max(lease_seconds - GRACE_SECONDS, 1.0)
        self._pool = ThreadPoolExecutor(
            THREADS * len(pipeline.SENDERS), thread_name_prefix="carrier"
        )

    async def send(self, row: Claimed) -> Answer:
        """Hand the row to its kind's sender; every failure is an Answer."""
        loop = asyncio.get_running_loop()
        task = loop.run_in_executor(self._pool, self._send, row)
        try:
            return await asyncio.wait_for(task, self._deadline)
        except TimeoutError:
            late = round(self._deadline * 1000)
            return Answer(None, b"", {}, late, "timeout", "no outcome before the deadline")

    def _send(self, row: Claimed) -> Answer:
        with self._app.app_context():
            answer: Answer = pipeline.resolve(pipeline.SENDERS[row.kind])(row)
            return answer

    def close(self) -> None:
        """Start nothing more; what is under way ends by itself."""
        self._pool.shutdown(wait=False, cancel_futures=True)
