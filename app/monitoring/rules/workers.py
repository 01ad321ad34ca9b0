"""Lines of the Procfile and the queues they work on; how many workers may be added for how long."""

from __future__ import annotations

from app import queues

LINES = {
    "high": queues.HIGH,
    "default": queues.DEFAULT,
    "notifications": queues.NOTIFICATIONS,
    "low": queues.LOW,
    "retry": queues.RETRY,
}
LINE_OF = {queue: line for line, queue in LINES.items()}
MOST = 8
SHORTEST_MINUTES, LONGEST_MINUTES = 5, 480
MINUTES = (15, 30, 60, 120, 240, 480)
