"""One process that is started again, ever more patiently, whenever it dies."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from app import clock

FIRST_DELAY = 0.1  # seconds
LONGEST_DELAY = 10.0
# A process that lived this long was past its start, and well: its next death is the first again.
# Were it longer, a worker that is killed each ten seconds would be missing for ever longer.
WELL_AFTER = 3.0


class Watcher(Protocol):
    """What a child tells about itself."""

    def said(self, name: str, line: str) -> None: ...
    def started(self, child: Child) -> None: ...
    def ended(self, group: int) -> None: ...


def next_delay(last: float, lived: float) -> float:
    """Seconds to wait before the next start, from the last wait (0: none) and how long it lived."""
    return FIRST_DELAY if lived >= WELL_AFTER or not last else min(last * 2, LONGEST_DELAY)


class Child:
    """A kept process, leader of a process group of its own."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environ: Mapping[str, str],
        watcher: Watcher,
        heal: Callable[[], str] | None = None,
    ) -> None:
        """`heal` is called where it gives up at its start twice in a row; what it did, in words."""
        self.name = name
        self._heal = heal
        self.command = command
        self.environ = environ
        self.watcher = watcher
        self.restarts = 0
        self.started_at = 0  # ms
        self.process: subprocess.Popen[bytes] | None = None
        self.stopping = asyncio.Event()
        self.renewing = False
        self._gave_up = False
        # Set by the house at every SIGCHLD.
        self.stirred = asyncio.Event()
        self.task = asyncio.create_task(self._keep())

    @property
    def pid(self) -> int | None:
        """Its process id, None between two starts."""
        return self.process.pid if self.process else None

    async def _keep(self) -> None:
        delay = 0.0
        while not self.stopping.is_set():
            lived = await self._live()
            if self.renewing:
                self.renewing, delay = False, 0.0
            elif not self.stopping.is_set():
                if self._heal and delay and lived < WELL_AFTER and self._gave_up:
                    self.watcher.said(self.name, self._heal())
                delay = next_delay(delay, lived)
                self.watcher.said(self.name, f"ended; again in {delay:g} s")
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.stopping.wait(), delay)
            self.restarts += 1

    async def _live(self) -> float:
        """Start it, wait for its end, clear up behind it; return the seconds it lived."""
        loop = asyncio.get_running_loop()
        born = loop.time()
        try:
            self.process = self._spawn()
        except OSError as problem:
            self.watcher.said(self.name, f"cannot start: {problem}")
            return 0.0
        self.started_at = clock.now()
        self.watcher.started(self)
        self._follow_output(self.process)
        while self.process.poll() is None:
            self.stirred.clear()
            await self.stirred.wait()
        # A server's own children must not outlive it: they would hold its port.
        self.signal_group(signal.SIGKILL)
        # Not ended by a signal: it said no itself.
        self._gave_up = bool(self.process.returncode and self.process.returncode > 0)
        group, self.process = self.process.pid, None
        self.watcher.ended(group)
        return loop.time() - born

    def _spawn(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self.command,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            start_new_session=True,
        )

    def _follow_output(self, process: subprocess.Popen[bytes]) -> None:
        if process.stdout is None:
            return
        loop = asyncio.get_running_loop()
        pipe, rest = process.stdout, b""
        os.set_blocking(pipe.fileno(), False)

        def readable() -> None:
            nonlocal rest
            block = pipe.read(65536)
            *lines, rest = (rest + (block or b"")).split(b"\n")
            if block == b"":
                loop.remove_reader(pipe.fileno())
                pipe.close()
                lines = [rest] if rest else []
            for line in lines:
                self.watcher.said(self.name, line.decode(errors="replace"))

        loop.add_reader(pipe.fileno(), readable)

    def signal_leader(self, number: signal.Signals) -> None:
        """Send a signal to the process itself, if there is one."""
        if self.process and self.process.returncode is None:
            self.process.send_signal(number)

    def signal_group(self, number: signal.Signals) -> None:
        """Send a signal to the process and everything it started."""
        if self.process:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, number)

    def stop(self, grace: float) -> None:
        """Ask it to end, for good; SIGKILL after `grace` seconds."""
        self.stopping.set()
        self._end(grace)

    async def renew(self, grace: float) -> None:
        """End it and let the next one start at once; SIGKILL after `grace` seconds."""
        before = self.process
        if before is None or self.stopping.is_set():
            return
        self.renewing = True
        self._end(grace)
        while self.process in (before, None) and not self.task.done():
            await asyncio.sleep(0.02)

    def _end(self, grace: float) -> None:
        self.signal_leader(signal.SIGTERM)
        ending = self.process
        late = asyncio.get_running_loop().call_later(
            grace, lambda: self.kill() if self.process is ending else None
        )
        self.task.add_done_callback(lambda _: late.cancel())

    def kill(self) -> None:
        """End it and everything it started at once."""
        self.signal_group(signal.SIGKILL)
