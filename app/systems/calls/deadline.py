"""The deadline of a whole call: a watch that cuts the connections of those that are late."""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass
from typing import Any

from app import clock
from app.config import Network

LOOK_SECONDS = 0.1


@dataclass(eq=False)
class Flight:
    """What is known about a call under way; the watch cuts its connection at `until`."""

    until: float
    allowed: tuple[Network, ...]
    connection: Any = None
    opened: bool = False
    answered: bool = False
    late: bool = False
    error_class: str = ""

    def cut(self) -> None:
        """Wake up whoever waits for bytes of this call."""
        self.late = True
        taken = getattr(self.connection, "sock", None)
        try:
            if taken is not None:
                taken.shutdown(socket.SHUT_RDWR)
        except OSError:
            return


class Watch:
    """A thread that ends calls whose time is over: socket timeouts only bound each wait."""

    def __init__(self) -> None:
        self._flights: set[Flight] = set()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def add(self, flight: Flight) -> None:
        """Watch a call from now on."""
        with self._changed:
            self._flights.add(flight)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="calls", daemon=True)
                self._thread.start()
            elif len(self._flights) == 1:
                self._changed.notify()

    def remove(self, flight: Flight) -> None:
        """The call has ended."""
        with self._changed:
            self._flights.discard(flight)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._flights))
                now = clock.monotonic()
                late = [flight for flight in self._flights if flight.until <= now]
                self._flights.difference_update(late)
                for flight in late:
                    flight.cut()
                self._changed.wait(LOOK_SECONDS)


watch = Watch()
