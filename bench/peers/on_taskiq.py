"""taskiq: two processes with 64 tasks at once each."""

from __future__ import annotations

import asyncio

import aiohttp
from taskiq import TaskiqEvents, TaskiqState
from taskiq_redis import ListQueueBroker

from bench.peers import work

broker = ListQueueBroker(url=f"unix://{work.BROKER}")
_sessions: list[aiohttp.ClientSession] = []


@broker.on_event(TaskiqEvents.WORKER_STARTUP)
async def _open(_: TaskiqState) -> None:
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=work.TIMEOUT)
    _sessions.append(aiohttp.ClientSession(connector=connector, timeout=timeout))


@broker.on_event(TaskiqEvents.WORKER_SHUTDOWN)
async def _close(_: TaskiqState) -> None:
    await _sessions.pop().close()


@broker.task(task_name="deliver")
async def deliver(job_id: int) -> None:
    """One delivery."""
    await work.deliver_async(job_id, _sessions[0])


async def _enqueue(count: int) -> None:
    await broker.startup()
    for job_id in range(1, count + 1):
        await deliver.kiq(job_id)
    await broker.shutdown()


def enqueue(count: int) -> None:
    """Queue all jobs."""
    asyncio.run(_enqueue(count))
