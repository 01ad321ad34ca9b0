"""What is sampled each minute: the five measures, and size and age of each queue."""

from __future__ import annotations

from app import clock, queues
from app.monitoring.rules.snapshot import Snapshot

SIZE, AGE = "queue:", "age:"


def sampled(seen: Snapshot) -> dict[str, float]:
    """Value by measure; what has no value now (nothing ended, no answer) is left out."""
    found = {name: value for name, value in seen.measures.items() if value is not None}
    for queue in queues.QUEUES:
        found[f"{SIZE}{queue}"] = seen.queue_sizes.get(queue, 0)
        found[f"{AGE}{queue}"] = seen.waits.get(queue, 0) / clock.SECOND
    return {name: round(float(value), 3) for name, value in found.items()}
