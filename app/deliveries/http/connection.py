"""One connection to a partner: a request at a time, each with its deadline, kept between them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from app import clock
from app.deliveries.http.problems import CutOff
from app.deliveries.http.reply import Reply

KEEP_ALIVE_SECONDS = 15.0
# Time for the loop to read what has come.
READ_SECONDS = 0.005
CLOSED = "the connection was closed before the answer ended"


class Connection(asyncio.Protocol):
    """Made by the loop; `idle` is called whenever the connection is free for the next request."""

    def __init__(self, loop: asyncio.AbstractEventLoop, idle: Callable[[Connection], None]) -> None:
        self._loop = loop
        self._idle = idle
        self._transport: Any = None
        self._reply: Reply | None = None
        self._waiter: asyncio.Future[None]
        # One timer serves one request after the other: it looks at what the deadline is by then.
        self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0

    @property
    def usable(self) -> bool:
        """Whether a request may be written to it."""
        return self._transport is not None and not self._transport.is_closing()

    async def ask(self, request: bytes, reply: Reply, due: float) -> None:
        """Write a request and wait until the reply is whole; TimeoutError at `due` (monotonic)."""
        self._reply, self._waiter = reply, self._loop.create_future()
        self._set_due(due)
        self._transport.write(request)
        try:
            await self._waiter
        except asyncio.CancelledError:
            self._reply = None
            self.abort()
            raise

    def abort(self) -> None:
        """End it at once, whatever is under way."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The loop's word that it stands."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """A part of the answer; bytes that nobody asked for would be taken for the next one."""
        reply = self._reply
        if reply is None:
            self.abort()
            return
        try:
            if not reply.feed(data):
                return
        except Exception as problem:  # noqa: BLE001 - whatever a partner sends is an answer
            self._fail(problem)
            return
        self._answered(reply)

    def _answered(self, reply: Reply) -> None:
        self._reply = None
        if reply.reusable and self.usable:
            self._set_due(clock.monotonic() + KEEP_ALIVE_SECONDS)
            self._idle(self)
        else:
            self.abort()
        if not self._waiter.done():
            self._waiter.set_result(None)

    def _fail(self, problem: Exception) -> None:
        self._reply = None
        self.abort()
        if not self._waiter.done():
            self._waiter.set_exception(problem)

    def eof_received(self) -> None:
        """The partner says no more."""
        self._ended(CLOSED, clean=True)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._ended(str(exc) if exc else CLOSED, clean=exc is None)
        self.abort()

    def _ended(self, how: str, clean: bool) -> None:
        reply = self._reply
        if reply is None:
            return
        if clean and reply.end():
            self._answered(reply)
        else:
            self._fail(CutOff(how))

    def _set_due(self, due: float) -> None:
        """Have `_tick` called at `due`, or sooner."""
        self._due = due
        if self._timer is not None:
            if self._timer_at <= due:
                return
            self._timer.cancel()
        self._timer_at = due
        self._timer = self._loop.call_later(max(due - clock.monotonic(), 0), self._tick)

    def _tick(self) -> None:
        self._timer = None
        if self._due > clock.monotonic():
            self._set_due(self._due)
        elif self._reply is not None:
            # Held up elsewhere, the loop looks at its timers first, and the answer may lie there.
            self._timer_at = clock.monotonic()
            self._timer = self._loop.call_later(READ_SECONDS, self._give_up, self._reply)
        else:
            self.abort()

    def _give_up(self, reply: Reply) -> None:
        if self._reply is reply:
            self._fail(TimeoutError("no whole answer before the deadline"))
        else:
            self._tick()
