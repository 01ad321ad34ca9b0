"""Drains that last as long as something takes, on a machine of any speed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from app import clock
from app.deliveries.jobs.engine import Engine
from app.queues import HIGH
from tests.deliveries.hub import Hub

PATIENCE = 30.0


def until(engine: Engine, holds: Callable[[], object], queue: str = HIGH) -> None:
    """Drain in small steps, as bells would, until it holds."""
    end = clock.monotonic() + PATIENCE
    while True:
        engine.drain(queue, 0.05)
        if holds():
            return
        assert clock.monotonic() < end, "did not come true"


def within_one(hub: Hub, engine: Engine, holds: Callable[[], object], queue: str = HIGH) -> bool:
    """One drain, in which it must come true, and which is then stopped; what the drain said."""
    ended = threading.Event()
    end = clock.monotonic() + PATIENCE

    def watch() -> None:
        with hub.app.app_context():
            while not (ended.wait(0.01) or holds()):
                pass
        engine.stop()

    with ThreadPoolExecutor(1) as pool:
        watched = pool.submit(watch)
        try:
            said = engine.drain(queue, PATIENCE)
        finally:
            ended.set()
    watched.result()
    engine.stopping = False
    assert clock.monotonic() < end and holds(), "did not come true before the drain's own end"
    return said
