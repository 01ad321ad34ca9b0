"""A supervisor under test: the real program on a Procfile of tiny real processes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parents[2]
SLEEPER = 'python -c "import signal; signal.pause()"'
STUBBORN = (
    'python -c "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); '
    "print('deaf', flush=True); [signal.pause() for _ in range(99)]\""
)
WEB = "python -m http.server $PORT --bind $HUB_HOST"


def until(holds: Callable[[], Any], seconds: float = 20.0) -> Any:
    """Wait for a condition and return what it gave; fails after `seconds`."""
    pause = threading.Event()
    for _ in range(int(seconds * 50)):
        if found := holds():
            return found
        pause.wait(0.02)
    raise AssertionError(f"did not come true in {seconds} s")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Hub:
    """One started supervisor with its folder, its log and its processes."""

    def __init__(self, folder: Path, lines: str, **environ: str) -> None:
        self.folder = folder
        self.log = folder / "log"
        self.procfile = folder / "Procfile"
        self.procfile.write_text(lines)
        self.port = free_port()
        self.environ = os.environ | {
            "HUB_DATA_DIR": str(folder / "data"),
            "HUB_ENV_FILE": str(folder / "no.env"),
            "HUB_WORKERS": "high=1",
            "PORT": str(self.port),
            "REDIS_URL": "redis://127.0.0.1:1/0",
            **environ,
        }
        self.start()

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.supervisor = subprocess.Popen(
                [sys.executable, "-m", "app.supervisor", str(self.procfile)],
                cwd=ROOT,
                env=self.environ,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )

    def text(self) -> str:
        return self.log.read_text()

    def pids(self) -> dict[str, int]:
        """Process ids by name, as the supervisor wrote them."""
        try:
            rows = json.loads((self.folder / "data" / "processes.json").read_bytes())
        except OSError:
            return {}
        return {row["name"]: row["pid"] for row in rows}

    def up(self, *names: str) -> dict[str, int]:
        """Wait until exactly these processes run."""
        return dict(until(lambda: (found := self.pids()).keys() == set(names) and found))

    def family(self) -> list[psutil.Process]:
        """Everything that the supervisor started, directly or not."""
        return psutil.Process(self.supervisor.pid).children(recursive=True)

    def send(self, number: signal.Signals) -> None:
        self.supervisor.send_signal(number)

    def ended(self, seconds: float = 30.0) -> int:
        """Exit status, once it has ended."""
        return self.supervisor.wait(seconds)

    def clear_up(self) -> None:
        """End what a failed test left, by the ids of what this hub started."""
        if self.supervisor.poll() is None:
            left = self.family()
            self.supervisor.kill()
            for process in left:
                if process.is_running():
                    process.kill()
            self.supervisor.wait()
