"""The work of every peer: claim, sign as the hub does, send, write down; and where it is told."""

from __future__ import annotations

import asyncio
import os
import threading

import aiohttp
import requests

from app.deliveries.rules.message import headers_of
from bench.peers.state import State, now

STATE, BROKER, URL = (os.environ.get(f"BENCH_{name}", "") for name in ("STATE", "BROKER", "URL"))
SECRETS = ("whsec_" + "YmVuY2g" * 6,)
TIMEOUT = 15
# The longest response kept, as in the hub.
KEPT = 8192

state = State(STATE)
_local = threading.local()


def deliver(job_id: int) -> None:
    """One delivery by a thread or process of its own."""
    job = state.claim(job_id)
    if job is None:
        return
    started = now()
    headers = headers_of(job, SECRETS, started)
    answer = _session().post(
        URL, data=job.body, headers=headers, timeout=TIMEOUT, allow_redirects=False
    )
    state.finish(job_id, started, answer.status_code, headers, answer.content)


def _session() -> requests.Session:
    """Kept connections, without the look-ups in the environment that cost a quarter."""
    if not hasattr(_local, "session"):
        _local.session = requests.Session()
        _local.session.trust_env = False
    return _local.session  # type: ignore[no-any-return]


async def deliver_async(job_id: int, session: aiohttp.ClientSession) -> None:
    """One delivery on an event loop; SQLite answers sooner than a thread would start."""
    job = await _run(state.claim, job_id)
    if job is None:
        return
    started = now()
    headers = headers_of(job, SECRETS, started)
    async with session.post(URL, data=job.body, headers=headers, allow_redirects=False) as answer:
        body = await answer.read()
    await _run(state.finish, job_id, started, answer.status, headers, body)


async def _run(function, *values):  # type: ignore[no-untyped-def]
    """A server's answer is waited for in a thread, so that the others go on."""
    if state.postgresql:
        return await asyncio.to_thread(function, *values)
    return function(*values)
