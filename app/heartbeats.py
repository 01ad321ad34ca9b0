"""Who is alive: each process writes its name, its kind and what it does every few seconds."""

from __future__ import annotations

import os
import socket

from sqlalchemy import BigInteger, Integer, String, delete, insert, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.db import Base, transaction

ALIVE_MS = 30 * clock.SECOND
FORGOTTEN_MS = clock.DAY
_STARTED = clock.now()


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
    host, pid, now = socket.gethostname()[:80], os.getpid(), clock.now()
    name = f"{kind}@{host}:{pid}"[:120]
    values = {"beat_at": now, "doing": doing[:200]}
    with transaction(durable=False) as tx:
        c = tx.connection
        if c.execute(update(Heartbeat).where(Heartbeat.name == name).values(**values)).rowcount:
            return
        c.execute(delete(Heartbeat).where(Heartbeat.beat_at < now - FORGOTTEN_MS))
        row = {"name": name, "kind": kind, "host": host, "pid": pid, "started_at": _STARTED}
        c.execute(insert(Heartbeat).values(**row, **values))


def alive(c: Connection, now: int) -> list[Heartbeat]:
    """Processes heard of lately, by kind and name."""
    query = (
        select(Heartbeat.__table__)
        .where(Heartbeat.beat_at > now - ALIVE_MS)
        .order_by(Heartbeat.kind, Heartbeat.name)
    )
    return [Heartbeat(**row._mapping) for row in c.execute(query)]
