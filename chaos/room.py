"""Room on a disk that can be taken away: a small file system, or a limit where we are not root."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

SIZE = 48 * 2**20
PART = 2**16
LIMITS = resource.RLIMIT_FSIZE


class SmallDisk:
    """A file system of a few MiB mounted at a folder; needs root."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        options = f"size={SIZE},mode=0700"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)
        self._ballast = folder / "ballast"

    def take(self) -> None:
        """Fill it to its last byte."""
        with self._ballast.open("ab", buffering=0) as file:
            for size in (PART, 1):
                with suppress(OSError):
                    while True:
                        file.write(bytes(size))

    def give(self) -> None:
        """There is room again."""
        self._ballast.unlink()

    def close(self) -> None:
        """Take it down, lazily: what still runs there loses nothing but its name."""
        subprocess.run(["umount", "--lazy", str(self.folder)], check=False)


class Limit:
    """No file may grow: what a user may do to their own processes (not the same error, EFBIG)."""

    def __init__(self, folder: Path, processes: Callable[[], Iterable[int]]) -> None:
        folder.mkdir(parents=True)
        self._processes = processes

    def take(self) -> None:
        """Each of the processes finds no room."""
        self._limit(PART)

    def give(self) -> None:
        """There is room again."""
        self._limit(resource.RLIM_INFINITY)

    def _limit(self, size: int) -> None:
        for pid in self._processes():
            with suppress(ProcessLookupError):
                resource.prlimit(pid, LIMITS, (size, resource.RLIM_INFINITY))

    def close(self) -> None:
        """Nothing is left of it."""


def is_full(folder: Path) -> bool:
    """Whether a byte finds no room there."""
    probe = folder / "probe"
    try:
        with probe.open("wb", buffering=0) as file:
            file.write(b"x")
    except OSError as problem:
        return problem.errno == errno.ENOSPC
    finally:
        with suppress(OSError):
            probe.unlink()
    return False


def may_mount() -> bool:
    """Whether a small file system can be had."""
    return os.getuid() == 0
