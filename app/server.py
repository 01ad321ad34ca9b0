"""The web server (`python -m app.server`): granian, renewed by SIGHUP without a gap.

All of its workers share one listening socket, so that what waits there waits for whoever comes
next; an old worker goes only once the new one serves and its clients have moved over, and the last
one asks its clients to leave before it goes.
"""

from __future__ import annotations

import ctypes
import logging
import multiprocessing
import os
import socket
import struct
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from granian.constants import Interfaces
from granian.log import LogLevels
from granian.net import SocketSpec  # type: ignore[attr-defined]
from granian.server import MPServer

from app import clock, config

# Beside the database: which worker serves. The one before it reads there that its time is over.
SERVING = "web.pid"
STARTS_SECONDS = 90.0
# In this time clients with a kept connection send something and are told to open another one.
MOVE_SECONDS = 2.0
LOOK_SECONDS = 0.1
LAST_ANSWERS_SECONDS = 15
# At the end answers close their connections for so long, so that those in use are gone. An idle one
# is closed by granian, and what is sent on it in just that moment gets no answer.
FAREWELL_SECONDS = 0.4
# After it nobody new comes in, and who is in already has so long to be answered.
CLOSED_SECONDS = 0.2
NOBODY = 0
# Linux' SO_ATTACH_FILTER, which Python has no name for, and the program for it: a TCP segment whose
# flags (byte 13) hold SYN (2) is dropped, any other passes (linux/filter.h: code, jt, jf, k).
SO_ATTACH_FILTER = 26
NO_SYN = ((0x30, 0, 0, 13), (0x45, 0, 1, 2), (0x06, 0, 0, 0), (0x06, 0, 0, 0xFFFFFFFF))

log = logging.getLogger(__name__)


class Server(MPServer):
    """Granian's own, but for the socket and the order of a reload."""

    def __init__(self, serving: Path, **options: Any) -> None:
        super().__init__("app.wsgi:application", **options)
        self._serving = serving
        self._pause = threading.Event()

    def _init_shared_socket(self) -> None:
        """One for all; on Linux granian gives each worker its own, and what waits there is lost."""
        self._shd: Any = SocketSpec(self.bind_addr, self.bind_port, self.backlog).build()
        self._sfd, self._ssp = self._shd.get_fd(), None
        self._sso = socket.socket(fileno=self._sfd)
        self._sso.set_inheritable(True)

    def _respawn_workers(
        self,
        workers: Iterable[int],
        spawn_target: Any,
        target_loader: Any,
        delay: float = 0,  # noqa: ARG002 - of the parent, which waits for a time, not for the new one
    ) -> None:
        """The new one first; should it not start, the old one stays."""
        for idx in workers:
            old: Any = self.wrks[idx]
            new: Any = self._spawn_worker(
                idx=idx, target=spawn_target, callback_loader=target_loader
            )
            new.start()
            if not self._until_serving(new):
                log.error("the new web worker did not start, the old one stays")
                _end(new)
                self.interrupt_children.clear()
                continue
            self._pause.wait(MOVE_SECONDS)
            self.wrks[idx] = new
            _end(old)

    def shutdown(self, exit_code: int = 0) -> None:
        """Have nobody in the middle of a request when the connections are closed."""
        workers: list[Any] = self.wrks
        if any(worker.is_alive() for worker in workers):
            self._say_goodbye()
        super().shutdown(exit_code)  # type: ignore[no-untyped-call]

    def _say_goodbye(self) -> None:
        with suppress(OSError):
            self._serving.write_text(str(NOBODY))
        self._pause.wait(FAREWELL_SECONDS)
        if self._sso and _close_door(self._sso):
            self._pause.wait(CLOSED_SECONDS)

    def _until_serving(self, worker: Any) -> bool:
        end = clock.monotonic() + STARTS_SECONDS
        while clock.monotonic() < end and worker.is_alive() and not self.interrupt_signal:
            if _read(self._serving) == worker.inner.pid:
                return True
            self._pause.wait(LOOK_SECONDS)
        return False


def _close_door(listener: socket.socket) -> bool:
    """Let no new connection come in; say whether that could be had.

    What waits in the queue of a listening socket is reset when it is closed, and granian stops
    taking from it in the same step. So the queue is run dry first: whoever knocks now hears
    nothing, tries again a second later as TCP does, and finds the next server or a closed port.
    """
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in NO_SYN))
    wanted = struct.pack("HP", len(NO_SYN), ctypes.addressof(program))
    try:
        listener.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, wanted)
    except OSError:  # another system than Linux
        return False
    return True


def _end(worker: Any) -> None:
    """Let it give its last answers."""
    worker.terminate()
    worker.join(LAST_ANSWERS_SECONDS)
    if worker.is_alive():
        worker.kill()
        worker.join()


def _read(serving: Path) -> int | None:
    try:
        return int(serving.read_text())
    except (OSError, ValueError):
        return None


StartResponse = Callable[..., Any]
Application = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


class Leaving:
    """An application that tells clients to close their connections once another worker serves, or
    none does."""

    def __init__(self, application: Application, data_dir: Path) -> None:
        self._application = application
        self._serving = data_dir / SERVING
        self._leaves = threading.Event()

    def start(self) -> None:
        """Say that this worker serves from now on, and look out for the next one."""
        try:
            self._serving.write_text(str(os.getpid()))
        except OSError as problem:
            log.warning("it could not be written down that this worker serves: %s", problem)
            return
        threading.Thread(target=self._look_out, name="next worker", daemon=True).start()

    def _look_out(self) -> None:
        while _read(self._serving) in (os.getpid(), None):
            self._leaves.wait(LOOK_SECONDS)
        self._leaves.set()

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer; the last answer on each connection says so."""
        if not self._leaves.is_set():
            return self._application(environ, start_response)

        def start(status: str, headers: Sequence[tuple[str, str]], *rest: Any) -> Any:
            return start_response(status, [*headers, ("Connection", "close")], *rest)

        return self._application(environ, start)


def main() -> None:
    """Serve until told to stop."""
    settings = config.load()
    # A fresh interpreter for each worker: a reload is for new code.
    multiprocessing.set_start_method("spawn")
    Server(
        settings.data_dir / SERVING,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        blocking_threads=settings.web_threads,
        websockets=False,
        log_level=LogLevels.error,
    ).serve()


if __name__ == "__main__":
    main()
