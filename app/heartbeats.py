"""Who is alive: each process writes its name, its kind and what it does every few seconds.

What it writes is its own wall clock, so that all can see whose is wrong (`Peers`); such a process
goes by the others' time and is shown as not heard of.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Mapping, Sequence
from statistics import median_low

from flask import Flask
from sqlalchemy import BigInteger, Integer, String, delete, insert, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.db import Base, reading, transaction

ALIVE_MS = 30 * clock.SECOND
FORGOTTEN_MS = clock.DAY
LOOK_SECONDS = 5.0
_STARTED = clock.now()

log = logging.getLogger(__name__)


class Heartbeat(Base):
    """A process of the hub; times in ms."""

    __tablename__ = "heartbeats"
    name: Mapped[str] = mapped_column(String(120), primary_key=True)
    kind: Mapped[str] = mapped_column(String(60))
    host: Mapped[str] = mapped_column(String(80))
    pid: Mapped[int] = mapped_column(Integer)
    started_at: Mapped[int] = mapped_column(BigInteger)
    beat_at: Mapped[int] = mapped_column(BigInteger)
    doing: Mapped[str] = mapped_column(String(200), default="")


def beat(kind: str, doing: str) -> None:
    """Say that this process lives; `kind` is `worker:<queue>` or `scheduler`."""
    host, pid, now = socket.gethostname()[:80], os.getpid(), clock.wall()
    name = f"{kind}@{host}:{pid}"[:120]
    peers.own = name
    row: dict[str, str | int] = {
        "name": name, "kind": kind, "host": host, "pid": pid, "started_at": _STARTED,
        "beat_at": now, "doing": doing[:200],
    }  # fmt: skip
    try:
        _write(row)
    finally:
        # Also when the database is too busy to be written: a wrong clock would be believed else.
        peers.look()


def _write(row: dict[str, str | int]) -> None:
    mine = update(Heartbeat).where(Heartbeat.name == row["name"])
    with transaction(durable=False) as tx:
        c = tx.connection
        if not c.execute(mine.values(beat_at=row["beat_at"], doing=row["doing"])).rowcount:
            c.execute(delete(Heartbeat).where(Heartbeat.beat_at < clock.wall() - FORGOTTEN_MS))
            c.execute(insert(Heartbeat).values(**row))


class Peers:
    """The other processes' clocks, seen from this one."""

    def __init__(self) -> None:
        self.own = ""
        self._seen: Mapping[str, int] = {}
        self._is_odd = False

    def look(self) -> None:
        """Compare; whoever differs from most of the others at two looks in a row gives in."""
        others = select(Heartbeat.name, Heartbeat.beat_at).where(Heartbeat.name != self.own)
        with reading() as c:
            found = {row.name: row.beat_at for row in c.execute(others)}
        before, self._seen = self._seen, found
        theirs = agreed([at for name, at in found.items() if before.get(name, at) != at])
        if theirs is None:
            # A busy machine silences all of them; those heard of a moment ago went by our time.
            if any(abs(at - clock.now()) <= ALIVE_MS for at in found.values()):
                clock.hands.hold()
            return
        was_odd, self._is_odd = self._is_odd, abs(theirs - clock.now()) > clock.STEP
        if not self._is_odd:
            clock.hands.hold()
        elif was_odd:
            alike = abs(theirs - clock.wall()) <= clock.STEP
            log.warning(
                "the clock was stepped for all processes"
                if alike
                else "this process has a wrong clock and goes by that of the others"
            )
            clock.hands.agree(theirs)


def agreed(clocks: Sequence[int]) -> int | None:
    """The time (ms) that most of the clocks tell, None where there is no such."""
    if len(clocks) < 2:
        return None
    middle = median_low(clocks)
    alike = [told for told in clocks if abs(told - middle) <= clock.STEP]
    return middle if 2 <= len(alike) > len(clocks) / 2 else None


peers = Peers()


def look_at_peers(app: Flask) -> None:
    """For a process that does not beat: compare its clock from a thread of its own."""

    def run() -> None:
        pause = threading.Event()
        while not pause.wait(LOOK_SECONDS):
            with app.app_context():
                try:
                    peers.look()
                except Exception:
                    log.exception("the clocks of the others were not looked at")

    threading.Thread(target=run, name="clocks", daemon=True).start()


def alive(c: Connection, now: int) -> list[Heartbeat]:
    """Processes heard of lately, by kind and name."""
    query = (
        select(Heartbeat.__table__)
        .where(Heartbeat.beat_at > now - ALIVE_MS, Heartbeat.beat_at < now + ALIVE_MS)
        .order_by(Heartbeat.kind, Heartbeat.name)
    )
    return [Heartbeat(**row._mapping) for row in c.execute(query)]
