"""The sender: a pool of kept connections for one event loop; every failure is an Answer."""

from __future__ import annotations

import asyncio
import ssl
from collections import defaultdict
from types import TracebackType
from typing import Self

from app import clock
from app.config import Network
from app.deliveries.http.connection import Connection
from app.deliveries.http.outgoing import Origin, Outgoing, encoded, place
from app.deliveries.http.problems import CutOff, classify
from app.deliveries.http.reach import Reach
from app.deliveries.http.reply import Reply
from app.systems.rules.answer import Answer

TEXT_KEPT = 300
MOST_OPEN = 10_000


class Sender:
    """Open it with `async with`."""

    def __init__(
        self,
        allowed: tuple[Network, ...] = (),
        tls: ssl.SSLContext | None = None,
        most: int = MOST_OPEN,
    ) -> None:
        self._reach = Reach(allowed)
        self._tls = tls or ssl.create_default_context()
        self._idle: defaultdict[Origin, list[Connection]] = defaultdict(list)
        # Connections open at once, and requests under way.
        self._most = most
        self._asking = 0
        self._loop: asyncio.AbstractEventLoop

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for connections in self._idle.values():
            for connection in connections:
                connection.abort()
        self._idle.clear()

    async def send(self, out: Outgoing) -> Answer:
        """Send and read the answer within the deadline; only cancellation is an exception."""
        started = clock.monotonic()
        reply = Reply()
        self._asking += 1
        try:
            await self._exchange(out, reply, started + out.timeout)
        except Exception as problem:  # noqa: BLE001 - whatever a partner does is an answer
            text = _clean(str(problem) or type(problem).__name__)
            return _answer(out, reply, started, classify(problem), text)
        finally:
            self._asking -= 1
            reply.let_go()
        return _answer(out, reply, started)

    async def _exchange(self, out: Outgoing, reply: Reply, due: float) -> None:
        """One request; on a kept connection that had been closed it is made once again.

        That is right where not a byte of an answer came: the partner most likely never saw the
        request, and if it did, the message id is the same.
        """
        origin, head = place(out.method, out.url)
        request = encoded(out, head)
        if (kept := self._kept(origin)) is not None:
            try:
                return await kept.ask(request, reply, due)
            except CutOff:
                if reply.heard:
                    raise
        connection = await self._connect(origin, min(out.connect_timeout, due - clock.monotonic()))
        return await connection.ask(request, reply, due)

    def _kept(self, origin: Origin) -> Connection | None:
        """The connection used last: the others may age."""
        idle = self._idle[origin]
        while idle:
            connection = idle.pop()
            if connection.usable:
                return connection
        return None

    def _close_spare(self) -> None:
        """Close kept connections while there are too many: the oldest of whoever has most."""
        while self._asking + sum(map(len, self._idle.values())) > self._most:
            longest = max(self._idle.values(), key=len)
            if not longest:
                return
            longest.pop(0).abort()

    async def _connect(self, origin: Origin, seconds: float) -> Connection:
        """A new connection, TLS handshake included."""
        self._close_spare()
        idle = self._idle[origin].append
        try:
            async with asyncio.timeout(seconds):
                connected = await self._reach.connect(origin)
                try:
                    _, connection = await self._loop.create_connection(
                        lambda: Connection(self._loop, idle),
                        sock=connected,
                        ssl=self._tls if origin.tls else None,
                        server_hostname=origin.host if origin.tls else None,
                    )
                except BaseException:
                    connected.close()
                    raise
                return connection
        except TimeoutError:
            raise TimeoutError("no connection before the deadline") from None


def _answer(
    out: Outgoing, reply: Reply, started: float, error_class: str = "", error: str = ""
) -> Answer:
    """The answer as far as it came."""
    return Answer(
        status=reply.status,
        body=bytes(reply.body[: out.kept]),
        headers={
            name: _clean(value.decode("utf-8", "replace")) for name, value in reply.headers.items()
        },
        latency_ms=round((clock.monotonic() - started) * 1000),
        error_class=error_class,
        error=error,
    )


def _clean(text: str) -> str:
    """A partner's text, bounded, and such as a database and a log line take."""
    short = text[:TEXT_KEPT]
    if short.isascii() and short.isprintable():
        return short
    visible = "".join(char if char.isprintable() else "?" for char in short)
    return visible.encode("utf-8", "replace").decode()
