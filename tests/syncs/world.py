"""The hub beside its partners: runs are started, and worked on as the workers do."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

from flask import Flask

from app import clock, queues
from app.access.actor import SYSTEM
from app.deliveries import jobs
from app.deliveries.jobs.engine import engine
from app.syncs.actions import start as starting
from app.syncs.actions.schedules import ensure
from app.syncs.jobs import sweep
from app.syncs.models import SyncItem, SyncRun
from tests.deliveries.hub import Hub
from tests.partners.client import Partners

PATIENCE = 120.0


class World(Hub):
    """What the tests of the syncs ask and do."""

    def __init__(self, app: Flask, partners: Partners) -> None:
        super().__init__(app)
        self.partners = partners
        ensure(clock.now() - clock.DAY)

    def start(self, name: str = "crm_operacao") -> int:
        """Ask for a run; the id of the (last) one."""
        return starting.start(starting.named(name), by=SYSTEM, why=None, now=clock.now())[-1]

    def run(self, run_id: int) -> Any:
        (row,) = self.rows(SyncRun, SyncRun.id == run_id)
        return row

    def items(self, run_id: int) -> list[Any]:
        return self.rows(SyncItem, SyncItem.run_id == run_id)

    def turn(self) -> None:
        """What two workers and the clock do in a moment."""
        sweep()
        jobs.work(queues.LOW)
        jobs.work(queues.RETRY)
        jobs.repair()

    def until(self, there: Callable[[], bool], patience: float = PATIENCE) -> None:
        """Work until it is so."""
        end = clock.monotonic() + patience
        while not there():
            assert clock.monotonic() < end, self.rows(SyncRun)
            self.turn()

    def finish(self, run_id: int) -> Any:
        """Work until the run has ended; its row."""
        self.until(lambda: self.run(run_id).status in ("done", "failed"))
        return self.run(run_id)

    def whole(self, name: str = "crm_operacao") -> Any:
        """Start a run and work it to its end."""
        return self.finish(self.start(name))

    def written(self, system: str, table: str, key: str) -> Counter[Any]:
        """How often each source id stands in a partner's book of business."""
        return Counter(row[key] for row in self.partners.rows(system, table))

    def calls(self, system: str, method: str = "", path: str = "") -> list[dict[str, Any]]:
        return self.partners.book(system, 5_000, path, method)

    def close(self) -> None:
        """As a worker that ends."""
        if "sync_pool" in self.app.extensions:
            self.app.extensions["sync_pool"].shutdown()
        engine().finish()
        self.app.extensions.pop("engine", None)


def body(request: dict[str, Any]) -> dict[str, Any]:
    """The JSON of a request in a partner's book."""
    document: dict[str, Any] = json.loads(request["body"])
    return document
