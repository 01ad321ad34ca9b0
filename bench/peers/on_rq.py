"""Plain RQ: two workers that do not fork."""

from __future__ import annotations

import redis
from rq import Queue

from bench.peers import work


def enqueue(count: int) -> None:
    """Queue all jobs."""
    queue = Queue(connection=redis.Redis.from_url(f"unix://{work.BROKER}"))
    jobs = [
        Queue.prepare_data(work.deliver, args=(job_id,), result_ttl=0)
        for job_id in range(1, count + 1)
    ]
    queue.enqueue_many(jobs)
