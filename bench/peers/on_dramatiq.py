"""Dramatiq: two processes with eight threads each."""

from __future__ import annotations

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from bench.peers import work

dramatiq.set_broker(RedisBroker(url=f"unix://{work.BROKER}"))


@dramatiq.actor
def deliver(job_id: int) -> None:
    """One delivery."""
    work.deliver(job_id)


def enqueue(count: int) -> None:
    """Queue all jobs."""
    for job_id in range(1, count + 1):
        deliver.send(job_id)
