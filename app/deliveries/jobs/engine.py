"""The engine of a worker: a sliding window of requests in flight over claims and outcomes.

One event loop lives as long as the process. A drain runs it for a few seconds; requests of a slow
system stay in flight from one drain to the next, so nobody waits for them.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import uvloop
from flask import Flask, current_app
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from app import clock, open_files, queues
from app.config import Settings
from app.db import reading
from app.deliveries.actions.claim import SUSPECTS_AT_ONCE, Claim, Claimed, claim, claim_alone
from app.deliveries.http import Sender
from app.deliveries.jobs.carriers import Carriers
from app.deliveries.jobs.limits import limits, policy
from app.deliveries.jobs.outcomes import WRITE_AT, Outcomes
from app.deliveries.jobs.room import Room
from app.deliveries.jobs.turns import Turns
from app.deliveries.jobs.ways import Flown, Ways, as_tried
from app.deliveries.models import WEBHOOK
from app.deliveries.queries.due import has_work
from app.deliveries.rules.places import places
from app.errors import Unavailable
from app.sqlite_writes import Busy
from app.systems.queries import snapshot
from app.systems.queries.snapshot import KnownSystem, Target
from app.systems.rules.answer import Answer

LOOK_AGAIN = 0.002  # Beside requests in flight nobody hears the bell.
DRAIN_SECONDS = 5.0
# Seconds until the next look after one that failed.
LOOK_LATER = 0.5
EXPECTED = (SQLAlchemyError, Unavailable)

Targets = Mapping[int, Target]
log = logging.getLogger(__name__)


class Engine:
    """Sends what is due; not thread-safe, one per process."""

    def __init__(self, settings: Settings) -> None:
        self._limits = limits(settings)
        self._lease_ms = round(settings.delivery_lease * 1000)
        self._grace = settings.delivery_timeout + 1
        self._loop = uvloop.new_event_loop()
        most = places(open_files.free())
        self._room = Room(most)
        self._sender = Sender(settings.allowed_networks, most=most)
        app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        self._carriers = Carriers(app, settings.delivery_lease)
        self._ways = Ways(settings, self._sender, self._carriers)
        self._systems: Mapping[str, KnownSystem] = {}
        self._opened = False
        self._flying: set[asyncio.Task[None]] = set()
        # Rows in flight that a worker died with before.
        self._suspects = 0
        self._landed = asyncio.Event()
        # Whether rows may be due that the last look had no room for.
        self._left = False
        self._look_from = 0.0
        self.stopping = False
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        self._turns = Turns()
        self.outcomes = Outcomes(
            policy(settings), self._limits, self._lease_ms, self.name, self._turns
        )

    @property
    def busy(self) -> bool:
        """Whether answers are outstanding or not written down: nobody else can see to them."""
        return bool(self._flying or self.outcomes)

    @property
    def flying(self) -> Mapping[str, int]:
        """Requests in flight by system."""
        return self._room.taken

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
        if queue in queues.CALM:
            await self._send_suspects(clock.monotonic() + seconds / 2)
        end = clock.monotonic() + seconds
        looked, more, self._left, self._look_from = -1.0, True, True, 0.0
        while clock.monotonic() < end and not self.stopping:
            # Whoever has nothing left to wait for looks once more before it says so.
            # What it finds is on its way while outcomes are written.
            now = clock.monotonic()
            due = more or not self.busy or now - looked >= LOOK_AGAIN
            if due and now >= self._look_from and not self._is_last_word():
                looked, more = now, self._take(queue, more)
            if not self.busy and not more:
                return False
            ripe = self._is_ripe()
            await self._wait(ripe)
            if ripe:
                self.outcomes.write(self._turns.is_patient)
        self.outcomes.write()
        return self.busy or self._left

    async def _open(self) -> None:
        """Open the pool of connections on first use."""
        if not self._opened:
            await self._sender.__aenter__()
            self._opened = True

    def _take(self, queue: str, expected: bool) -> bool:
        """Claim what there is room for and launch it; whether to ask again: it was not our turn.

        Unless work is `expected` it is looked for before the lock for writing is asked for.
        """
        if not self._turns.is_due:
            return expected
        try:
            # Read first: what is claimed must not be stranded by a read that fails.
            with reading() as c:
                room, targets = self._free(c), snapshot.targets(c)
                if not room or not (expected or self._is_wanted(c, queue, room)):
                    return False
            claimed = self._claim(queue, room)
        except Busy:
            self._turns.refused()
            return True
        except EXPECTED as problem:
            return self._not_claimed(problem)
        except Exception as problem:
            log.exception("a claim failed in a way that was not expected")
            return self._not_claimed(problem)
        self._turns.had()
        self._launch(claimed.rows, targets)
        self._left = self._left or claimed.more
        return False

    def _not_claimed(self, problem: Exception) -> Literal[False]:
        """Whatever it was: what is in flight lands and is written all the same."""
        log.warning("nothing claimed, the sweep will ring again: %s", problem)
        self._look_from = clock.monotonic() + LOOK_LATER
        self._left = False
        return False

    def _claim(self, queue: str, room: Mapping[str, int]) -> Claim:
        """Take rows; Busy while somebody else writes, until its patience begins."""
        few = SUSPECTS_AT_ONCE - self._suspects
        return claim(
            queue, room, self._limits, self._lease_ms, suspects=few, patient=self._turns.is_patient
        )

    def _is_wanted(self, c: Connection, queue: str, room: Mapping[str, int]) -> bool:
        """Whether a message of the queue may leave now, for a system with room."""
        return has_work(c, queue, room, self._limits, self._lease_ms, clock.now())

    def _free(self, c: Connection) -> Mapping[str, int]:
        """Free places by system."""
        self._systems = snapshot.systems(c)
        # Beyond one write's worth, what ended takes up places until it is written.
        unwritten = max(len(self.outcomes) - WRITE_AT, 0)
        free, self._left = self._room.free(self._systems.values(), unwritten)
        return free

    def _launch(self, rows: Sequence[Claimed], targets: Targets) -> None:
        """Start an attempt for each row."""
        targets = _with_unknown(rows, targets)
        for row in rows:
            self._room.taken[row.system] += 1
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
        self._room.taken[row.system] -= 1
        self._suspects -= row.crashes > 0
        self.outcomes.add(as_tried(row, started, flown))
        self._landed.set()

    def _is_last_word(self) -> bool:
        """Whether nothing is in flight and a few outcomes can be written at once.

        They are written before more is claimed: they may be what opens a breaker.
        """
        return not self._flying and len(self.outcomes) < WRITE_AT and self._is_ripe()

    def _is_ripe(self) -> bool:
        """Whether outcomes are to be written now."""
        return self.outcomes.are_ripe(idle=not self._flying)

    async def _wait(self, ripe: bool) -> None:
        """Until an attempt ends, but not past the next look; `ripe`: what was launched leaves."""
        self._landed.clear()
        if ripe:
            await asyncio.sleep(0)
            return
        try:
            await asyncio.wait_for(self._landed.wait(), self._turns.pause or LOOK_AGAIN)
        except TimeoutError:
            return

    async def _send_suspects(self, end: float) -> None:
        """Send the rows that may be killing workers, each with nothing beside it.

        None while outcomes are unwritten: whose is never written is taken for a killer.
        """
        while not self.busy and not self.stopping and clock.monotonic() < end:
            try:
                with reading() as c:
                    self._systems, targets = snapshot.systems(c), snapshot.targets(c)
                if (row := claim_alone(queues.DEFAULT, self._lease_ms)) is None:
                    return
            except EXPECTED as problem:
                self._not_claimed(problem)
                return
            except Exception as problem:
                log.exception("a claim failed in a way that was not expected")
                self._not_claimed(problem)
                return
            self._launch([row], targets)
            await asyncio.gather(*self._flying)
            self.outcomes.write()

    async def _finish(self) -> None:
        if self._flying:
            await asyncio.wait(self._flying, timeout=self._grace)
        self.outcomes.write()
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
    except Exception:
        # The rows are ours by now: they are sent with what is known.
        log.warning("endpoints not read anew", exc_info=True)
        return targets


def engine() -> Engine:
    """The engine of this process, made on first use."""
    extensions: dict[str, Any] = current_app.extensions
    if "engine" not in extensions:
        extensions["engine"] = Engine(extensions["settings"])
    made: Engine = extensions["engine"]
    return made
