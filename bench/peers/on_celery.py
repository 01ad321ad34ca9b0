"""Celery: prefork, two processes."""

from __future__ import annotations

from celery import Celery

from bench.peers import work

app = Celery("bench", broker=f"redis+socket://{work.BROKER}")
app.conf.task_ignore_result = True


@app.task(name="deliver")  # type: ignore[untyped-decorator]
def deliver(job_id: int) -> None:
    """One delivery."""
    work.deliver(job_id)


def enqueue(count: int) -> None:
    """Queue all jobs."""
    for job_id in range(1, count + 1):
        deliver.delay(job_id)
