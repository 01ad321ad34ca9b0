"""Processes of a bench: started in a session of their own, measured through /proc, ended whole."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).parents[1]
TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


class NotInTime(Exception):
    """Something that was waited for did not happen; the text says what."""


def until(holds: Callable[[], Any], seconds: float, what: str, pause: float = 0.01) -> Any:
    """Wait for a condition and return what it gave."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := holds():
            return found
        time.sleep(pause)
    raise NotInTime(f"{what} within {seconds:g} s")


def free_port() -> int:
    """A TCP port on loopback that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Process:
    """One program and all that it starts."""

    def __init__(
        self,
        words: Sequence[str],
        environ: Mapping[str, str],
        log: Path,
        stdout: int | IO[bytes] | None = None,
        stdin: int | IO[bytes] = subprocess.DEVNULL,
    ) -> None:
        with log.open("ab") as file:
            self.popen = subprocess.Popen(
                list(words), env=dict(environ), cwd=ROOT, stdin=stdin,
                stdout=file if stdout is None else stdout, stderr=file, start_new_session=True,
            )  # fmt: skip
        self.log = log

    @property
    def pid(self) -> int:
        """Leader of the session."""
        return self.popen.pid

    def rss(self) -> float:
        """MiB resident in the leader and what it started."""
        return sum(int(stat[21]) for stat in _members([self])) * PAGE / 2**20

    def alive(self) -> bool:
        """Whether the leader still runs; an early end is a fault of the row."""
        return self.popen.poll() is None

    def stop(self, grace: float = 5.0) -> None:
        """Ask it to end, then end whatever is left of its session."""
        if self.alive():
            self.popen.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.popen.wait(grace)
        for stat_pid in [pid for pid in _pids() if _session(pid) == self.pid]:
            _kill(stat_pid)
        self.popen.wait()


def cpu(processes: Iterable[Process]) -> float:
    """Seconds of user and system time of all of them and what they started."""
    return sum(int(stat[11]) + int(stat[12]) for stat in _members(processes)) / TICK


def _members(processes: Iterable[Process]) -> list[list[str]]:
    """The `stat` fields of every living process of the sessions."""
    sessions = {process.pid for process in processes}
    return [found for found in map(_stat, _pids()) if found and int(found[3]) in sessions]


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _stat(pid: int) -> list[str] | None:
    """Fields of /proc/PID/stat after the name (which may hold blanks), None when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def _session(pid: int) -> int:
    stat = _stat(pid)
    return int(stat[3]) if stat else 0


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
