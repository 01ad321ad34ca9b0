"""A relay of TCP connections that can turn into a black hole: it accepts and never answers."""

from __future__ import annotations

import select
import socket
import threading
from contextlib import ExitStack, suppress
from pathlib import Path

PART = 65_536


class Relay:
    """Between a TCP port on loopback and a Unix socket; close it to end it."""

    def __init__(self, behind: Path) -> None:
        self.behind = behind
        self.is_hole = False
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        """Both ways, except while it is a hole: then what is sent is swallowed."""
        with ExitStack() as stack, suppress(OSError):
            stack.enter_context(client)
            server = stack.enter_context(socket.socket(socket.AF_UNIX))
            server.connect(str(self.behind))
            swallowed = False
            while True:
                for end in select.select((client, server), (), (), 0.5)[0]:
                    part = end.recv(PART)
                    if not part:
                        return
                    # After a gap the two ends would talk past each other.
                    swallowed = swallowed or self.is_hole
                    if not swallowed:
                        (server if end is client else client).sendall(part)
                if swallowed and not self.is_hole:
                    return

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()

    def __enter__(self) -> Relay:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
