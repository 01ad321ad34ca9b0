"""The target as the rows use it: told how to answer, asked what came."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bench.processes import Process

SYSTEMS = ("crm", "operacao", "financeiro", "cuidadores", "atendimento", "marketing", "documentos")


class Entry(NamedTuple):
    """One request that reached a system; `outcome` as in chaos.target_server."""

    at: int
    system: str
    message: str
    event: int
    number: int | None
    outcome: str
    port: int


class Target:
    """The process of the systems; close it to end it. Its clock is `ahead` ms ahead of ours."""

    def __init__(
        self, folder: Path, environ: Mapping[str, str] | None = None, ahead: int = 0
    ) -> None:
        self._ahead = ahead
        words = [sys.executable, "-m", "chaos.target_server"]
        self.process = Process(
            words, {**os.environ, **(environ or {})}, folder / "target.log", subprocess.PIPE
        )
        assert self.process.popen.stdout is not None
        self.port, control = json.loads(self.process.popen.stdout.readline())
        self.url = f"http://127.0.0.1:{self.port}"
        self._lock = threading.Lock()
        self._socket = socket.create_connection(("127.0.0.1", control), timeout=30)
        self._file = self._socket.makefile("rwb")
        self._entries: list[Entry] = []

    def tell(self, do: str, **words: Any) -> Any:
        """One order, and its answer; from any thread."""
        with self._lock:
            self._file.write(json.dumps({"do": do, **words}).encode() + b"\n")
            self._file.flush()
            return json.loads(self._file.readline())

    def knows(self, secrets: Mapping[str, Sequence[str]]) -> None:
        """What each system checks signatures with."""
        self.tell("secrets", secrets={name: list(each) for name, each in secrets.items()})

    def mode(self, mode: str, *systems: str) -> None:
        """ok, a status, reset, tarpit (drips), hang, or slow:MS; all systems by default."""
        for system in systems or SYSTEMS:
            self.tell("mode", system=system, mode=mode)

    def entries(self) -> list[Entry]:
        """Every request so far, by our clock."""
        fresh = self.tell("entries", since=len(self._entries))
        self._entries += [Entry(at - self._ahead, *rest) for at, *rest in fresh]
        return self._entries

    def held(self) -> dict[int, str]:
        """Messages that wait for the death of their sender, by its local port."""
        return {int(port): each for port, each in self.tell("state")["held"].items()}

    def close(self) -> None:
        """End it."""
        self._file.close()
        self._socket.close()
        self.process.stop()

    def __enter__(self) -> Target:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
