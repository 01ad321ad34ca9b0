"""The engine of a worker: a sliding window of requests in flight over claims and outcomes.

One event loop lives as long as the process. A drain runs it for a few seconds; requests of a slow
system stay in flight from one drain to the next, so nobody waits for them.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import uvloop
from flask import Flask, current_app
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from app import clock, queues
from app.config import Settings
from app.db import reading
from app.deliveries.actions.claim import SUSPECTS_AT_ONCE, Claimed, claim, claim_alone
from app.deliveries.actions.record import Tried, record
from app.deliveries.http import BODY_KEPT, Sender
from app.deliveries.jobs.carriers import THREADS, Carriers
from app.deliveries.jobs.limits import limits, policy
from app.deliveries.jobs.ways import Flown, Ways
from app.deliveries.models import WEBHOOK
from app.deliveries.rules.message import logged
from app.deliveries.rules.retry import parse_retry_after
from app.errors import Unavailable
from app.pipeline import SENDERS
from app.systems.queries import snapshot
from app.systems.queries.snapshot import KnownSystem, Target
from app.systems.rules.answer import Answer
from app.systems.rules.defaults import CARRIERS

WRITE_AT = 400
WRITE_AFTER = 0.1
# Seconds between tries to write while the database is away.
WRITE_AGAIN = 0.5
LOOK_AGAIN = 0.004  # Beside requests in flight nobody hears the bell.
DRAIN_SECONDS = 5.0
# Claiming for a few free places costs as much as claiming for many: a system is asked about when
# half of its places are free.
WORTH_CLAIMING = 0.5
# No database takes such a row, however often it is asked.
UNFIT = (DataError, IntegrityError, ValueError, OverflowError)

Targets = Mapping[int, Target]
log = logging.getLogger(__name__)


class Engine:
    """Sends what is due; not thread-safe, one per process."""

    def __init__(self, settings: Settings) -> None:
        self._limits = limits(settings)
        self._policy = policy(settings)
        self._lease_ms = round(settings.delivery_lease * 1000)
        self._grace = settings.delivery_timeout + 1
        self._loop = uvloop.new_event_loop()
        self._sender = Sender(settings.allowed_networks)
        app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        self._carriers = Carriers(app, settings.delivery_lease)
        self._ways = Ways(settings, self._sender, self._carriers)
        self._systems: Mapping[str, KnownSystem] = {}
        self._opened = False
        self._flying: set[asyncio.Task[None]] = set()
        self._per_system: Counter[str] = Counter()
        # Rows in flight that a worker died with before.
        self._suspects = 0
        self._ended: list[Tried] = []
        self._first_ended = 0.0
        self._write_from = 0.0
        self._landed = asyncio.Event()
        # Whether rows may be due that the last look had no room for.
        self._left = False
        self.stopping = False
        self.name = f"{socket.gethostname()}:{os.getpid()}"

    @property
    def busy(self) -> bool:
        """Whether answers are outstanding or not written down: nobody else can see to them."""
        return bool(self._flying or self._ended)

    @property
    def flying(self) -> Mapping[str, int]:
        """Requests in flight by system."""
        return self._per_system

    def drain(self, queue: str, seconds: float = DRAIN_SECONDS) -> bool:
        """Send what is due on the queue for at most `seconds`; whether there is more to do."""
        return self._loop.run_until_complete(self._drain(queue, seconds))

    def stop(self) -> None:
        """Claim nothing more; the drain under way ends at once."""
        self.stopping = True

    def finish(self) -> None:
        """Let what is in flight land and write it down; for the end of the process."""
        self._loop.run_until_complete(self._finish())
        self._loop.close()

    async def _drain(self, queue: str, seconds: float) -> bool:
        await self._open()
        # Suspects are moved to this queue: the others need not look for them each time.
        if queue == queues.DEFAULT:
            await self._send_suspects(queue, clock.monotonic() + seconds / 2)
        end = clock.monotonic() + seconds
        looked, more, self._left = -1.0, True, True
        while clock.monotonic() < end and not self.stopping:
            # Whoever has nothing left to wait for looks once more before it says so.
            if more or not self.busy or clock.monotonic() - looked >= LOOK_AGAIN:
                looked, more = clock.monotonic(), self._take(queue)
            if not self.busy and not more:
                return False
            await self._wait()
            self._write_if_ripe()
        self._write()
        return self.busy or self._left

    async def _open(self) -> None:
        """Open the pool of connections on first use."""
        if not self._opened:
            await self._sender.__aenter__()
            self._opened = True

    def _take(self, queue: str) -> bool:
        """Claim what there is room for and launch it; whether more could be had at once."""
        try:
            # Read first: what is claimed must not be stranded by a read that fails.
            self._left = False
            with reading() as c:
                room, targets = self._room(c), snapshot.targets(c)
            if not room:
                return False
            few = SUSPECTS_AT_ONCE - self._suspects
            claimed = claim(queue, room, self._limits, self._lease_ms, suspects=few)
        except (SQLAlchemyError, Unavailable) as problem:
            log.warning("nothing claimed, the sweep will ring again: %s", problem)
            return False
        self._launch(claimed.rows, targets)
        self._left = self._left or claimed.more
        return claimed.more

    def _room(self, c: Connection) -> dict[str, int]:
        """Free places per system."""
        self._systems = snapshot.systems(c)
        room = {}
        for system in self._systems.values():
            most = min(system.in_flight, THREADS) if system.name in SENDERS else system.in_flight
            free = most - self._per_system[system.name]
            if not system.paused and free >= most * WORTH_CLAIMING:
                room[system.name] = free
            elif not system.paused:
                self._left = True
        room |= {each: THREADS - self._per_system[each] for each in CARRIERS}
        return {name: free for name, free in room.items() if free > 0}

    def _launch(self, rows: Sequence[Claimed], targets: Targets) -> None:
        """Start an attempt for each row."""
        targets = _with_unknown(rows, targets)
        for row in rows:
            self._per_system[row.system] += 1
            self._suspects += row.crashes > 0
            target = targets.get(row.endpoint_id or 0)
            task = self._loop.create_task(self._fly(row, target))
            self._flying.add(task)
            task.add_done_callback(self._flying.discard)

    async def _fly(self, row: Claimed, target: Target | None) -> None:
        """One attempt, from here to its place among the ended ones."""
        started = clock.now()
        try:
            flown = await self._ways.send(row, target, self._systems, started)
        except Exception as problem:
            log.exception("delivery %d could not be sent", row.id)
            flown = Flown(Answer(None, b"", {}, 0, "internal", type(problem).__name__))
        self._per_system[row.system] -= 1
        self._suspects -= row.crashes > 0
        if not self._ended:
            self._first_ended = clock.monotonic()
        self._ended.append(_tried(row, started, flown))
        self._landed.set()

    async def _wait(self) -> None:
        """Until an attempt ends, but not past the next look at what is due."""
        self._landed.clear()
        if len(self._ended) >= WRITE_AT and clock.monotonic() >= self._write_from:
            await asyncio.sleep(0)
            return
        try:
            await asyncio.wait_for(self._landed.wait(), LOOK_AGAIN)
        except TimeoutError:
            return

    def _write_if_ripe(self) -> None:
        """Outcomes are written by the hundred, each tenth of a second, or when all have landed."""
        if not self._ended or clock.monotonic() < self._write_from:
            return
        age = clock.monotonic() - self._first_ended
        if len(self._ended) >= WRITE_AT or age >= WRITE_AFTER or not self._flying:
            self._write()

    def _write(self) -> None:
        """Write the outcomes; they are kept while the database is away."""
        if not self._ended:
            return
        try:
            self._record(self._ended)
        except UNFIT:
            self._write_each()
        except SQLAlchemyError as problem:
            log.warning("%d outcomes not written yet: %s", len(self._ended), problem)
            self._write_from = clock.monotonic() + WRITE_AGAIN
            return
        self._ended = []

    def _write_each(self) -> None:
        """One outcome that cannot be stored must not take its neighbours along.

        Its own lease runs out, which counts as a crash: in the end it is a dead letter.
        """
        for tried in self._ended:
            try:
                self._record([tried])
            except (*UNFIT, SQLAlchemyError):
                log.exception("the outcome of delivery %d was not written", tried.row.id)

    def _record(self, tries: Sequence[Tried]) -> None:
        record(tries, self._policy, self._limits, self.name, clock.now())

    async def _send_suspects(self, queue: str, end: float) -> None:
        """Send the rows that may be killing workers, each with nothing beside it."""
        while not self._flying and not self.stopping and clock.monotonic() < end:
            try:
                with reading() as c:
                    self._systems, targets = snapshot.systems(c), snapshot.targets(c)
                if (row := claim_alone(queue, self._lease_ms)) is None:
                    return
            except (SQLAlchemyError, Unavailable) as problem:
                log.warning("nothing claimed, the sweep will ring again: %s", problem)
                return
            self._launch([row], targets)
            await asyncio.gather(*self._flying)
            self._write()

    async def _finish(self) -> None:
        if self._flying:
            await asyncio.wait(self._flying, timeout=self._grace)
        self._write()
        if self._opened:
            await self._sender.__aexit__(None, None, None)
        self._carriers.close()


def _with_unknown(rows: Sequence[Claimed], targets: Targets) -> Targets:
    """The targets, read anew where one was made or switched on since the snapshot."""
    known = {None, *(target.endpoint_id for target in targets.values() if target.active)}
    if all(row.endpoint_id in known or row.kind != WEBHOOK for row in rows):
        return targets
    snapshot.forget()
    try:
        with reading() as c:
            return snapshot.targets(c)
    except (SQLAlchemyError, Unavailable) as problem:
        log.warning("endpoints not read anew: %s", problem)
        return targets


def _tried(row: Claimed, started: int, flown: Flown) -> Tried:
    answer = flown.answer
    asked = answer.headers.get("Retry-After")
    return Tried(
        row=row,
        url=flown.url,
        started_at=started,
        latency_ms=answer.latency_ms,
        status=answer.status,
        error_class=answer.error_class,
        error=answer.error,
        request_headers=logged(flown.headers),
        response_body=answer.body[:BODY_KEPT],
        retry_after=parse_retry_after(asked, started) if asked else None,
        settled=answer.settled,
        output=answer.output,
    )


def engine() -> Engine:
    """The engine of this process, made on first use."""
    extensions: dict[str, Any] = current_app.extensions
    if "engine" not in extensions:
        extensions["engine"] = Engine(extensions["settings"])
    made: Engine = extensions["engine"]
    return made
