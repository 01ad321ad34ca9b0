"""The running house: what starts in which order, stays alive, and ends in which order."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from app import embedded_redis
from app.config import Settings
from app.supervisor import guard, premises, procfile
from app.supervisor.child import Child

GRACE = 20.0  # seconds that processes get to finish what they have in hand
REDIS_LOADS = 60.0  # seconds that it may take to read its data
WEB_STARTS = 30.0  # seconds after which the workers start whatever the web process does
REDIS = "redis"
# Seconds more for those that go last, one after the other: the web process says goodbye first.
LAST_GRACES = {procfile.WEB: 2.0, REDIS: 5.0}


class House:
    """All kept processes of one data folder."""

    def __init__(self, settings: Settings, commands: dict[str, str]) -> None:
        self.settings = settings
        self.data_dir = settings.data_dir.resolve()
        self.release = commands.pop(procfile.RELEASE, None)
        self.commands = commands
        self.environ = self._environ()
        self.counts = procfile.scale(settings.workers, commands)
        self.children: dict[str, Child] = {}
        self.on_terminal = os.isatty(0)
        self.lock = -1
        self.guard: asyncio.subprocess.Process | None = None
        self.stopping = asyncio.Event()
        # Whether processes.json says what runs.
        self.is_written = True

    def _environ(self) -> dict[str, str]:
        """What the processes see: the settings that the supervisor decides, made explicit."""
        settings = self.settings
        return os.environ | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
            "PYTHONUNBUFFERED": "1",
            "HUB_HOST": settings.host,
            "PORT": str(settings.port),
            "HUB_DATA_DIR": str(self.data_dir),
            "HUB_WEB_THREADS": str(settings.web_threads),
            "REDIS_URL": settings.redis_url or embedded_redis.url(self.data_dir),
        }

    async def run(self) -> None:
        """Start everything, keep it until a signal comes, end everything."""
        for command in self.commands.values():
            procfile.words(command, self.environ)
        self.lock = await premises.lock(self.data_dir, patience=GRACE + LAST_GRACES[REDIS])
        if procfile.WEB in self.commands:
            premises.need_port(self.settings.host, self.settings.port)
        self._listen()
        keeping_guard = asyncio.create_task(self._keep_guard())
        try:
            await self._until_stopped(self._open)
            await self._until_stopped(self._follow_scale)
        finally:
            await self._close()
            keeping_guard.cancel()
            await self._dismiss_guard()
            self._write()

    async def _until_stopped(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do the work, or leave off when a signal to stop comes."""
        task = asyncio.ensure_future(work())
        stop = asyncio.create_task(self.stopping.wait())
        await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if not task.done():
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    # Starting

    async def _open(self) -> None:
        if not self.settings.redis_url:
            await self._open_redis()
        # Side by side, for a quick start: the web process loads and then waits for the schema.
        if procfile.WEB in self.commands:
            self._add(procfile.WEB, self.commands[procfile.WEB])
        login = await self._run_release() or self.settings.admin_email
        if procfile.WEB in self.commands:
            await self._wait_for_web()
        host = f"[{self.settings.host}]" if ":" in self.settings.host else self.settings.host
        address = self.settings.public_url or f"http://{host}:{self.settings.port}"
        self.said("hub", f"{address}  login: {login}  stop: Ctrl-C")
        self._fit()

    async def _open_redis(self) -> None:
        listen = embedded_redis.socket_path(self.data_dir)
        self.children[REDIS] = Child(
            REDIS,
            embedded_redis.command(self.data_dir),
            self.environ,
            self,
            heal=lambda: embedded_redis.set_aside(self.data_dir),
        )
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(REDIS_LOADS):
                while not embedded_redis.answers(listen):
                    await asyncio.sleep(0.01)
                return
        raise premises.CannotStart(f"the embedded Redis did not answer in {REDIS_LOADS:g} s")

    async def _run_release(self) -> str:
        """Run the `release` line to its end; what it prints is the login shown to the person."""
        if self.release is None:
            return ""
        words = procfile.words(self.release, self.environ)
        process = await asyncio.create_subprocess_exec(
            *words, env=self.environ, stdout=asyncio.subprocess.PIPE, start_new_session=True
        )
        self._tell_guard(f"+{process.pid}")
        try:
            output, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
            self._tell_guard(f"-{process.pid}")
        if process.returncode:
            raise premises.CannotStart(f"`{self.release}` failed; see above")
        return output.decode(errors="replace").strip()

    async def _wait_for_web(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(WEB_STARTS):
                while not await premises.web_answers(self.settings.host, self.settings.port):
                    await asyncio.sleep(0.02)
                return
        self.said("hub", "the web process does not answer yet; the workers start without it")

    def _add(self, name: str, command: str | Sequence[str]) -> None:
        words = procfile.words(command, self.environ) if isinstance(command, str) else command
        self.children[name] = Child(name, words, self.environ, self)

    # Running

    async def _follow_scale(self) -> None:
        while True:
            self._fit()
            await asyncio.sleep(0.5)
            if not self.is_written:
                self._write()

    def _fit(self) -> None:
        """Start or stop processes until each line has as many as are asked for."""
        counts = procfile.rescale(self.data_dir / "scale.json", self.counts)
        for line, count in counts.items():
            if line == procfile.WEB:
                continue
            for number in range(1, procfile.MOST_PROCESSES + 1):
                name = f"{line}.{number}"
                child = self.children.get(name)
                if number <= count and (child is None or child.task.done()):
                    self._add(name, self.commands[line])
                elif number > count and child and not child.stopping.is_set():
                    child.stop(GRACE)

    async def _renew(self) -> None:
        """New code without a gap: the workers one after the other, the web process by itself."""
        if web := self.children.get(procfile.WEB):
            web.signal_leader(signal.SIGHUP)
        for name, child in list(self.children.items()):
            if name not in (procfile.WEB, REDIS):
                await child.renew(GRACE)

    # Ending

    async def _close(self) -> None:
        """The scheduler first, then workers, web and Redis, so that nothing new comes in late."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + GRACE
        scheduler = f"{procfile.SCHEDULER}."
        first = [child for name, child in self.children.items() if name.startswith(scheduler)]
        workers = [
            child
            for name, child in self.children.items()
            if name not in LAST_GRACES and child not in first
        ]
        await _ended(first, deadline)
        await _ended(workers, deadline)
        for name, more in LAST_GRACES.items():
            if last := self.children.get(name):
                await _ended([last], deadline + more)

    def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGCHLD, self._stir)
        loop.add_signal_handler(signal.SIGINT, self._stop)
        loop.add_signal_handler(signal.SIGTERM, self._stop)
        loop.add_signal_handler(signal.SIGHUP, self._hang_up)

    def _stir(self) -> None:
        for child in self.children.values():
            child.stirred.set()

    def _stop(self) -> None:
        """Stop in order; asked a second time, at once."""
        if self.stopping.is_set():
            for child in self.children.values():
                child.stopping.set()
                child.kill()
        self.stopping.set()

    def _hang_up(self) -> None:
        """Renew when asked to; stop when it was the terminal that closed."""
        if self.on_terminal and not os.isatty(0):
            self._stop()
            return
        self.renewing = asyncio.create_task(self._renew())

    # What the children tell

    def said(self, name: str, line: str) -> None:
        """Pass a line on; a terminal that went away stops nothing."""
        with contextlib.suppress(OSError, ValueError):
            print(f"{name:<15} | {line}", flush=True)

    def started(self, child: Child) -> None:
        """Note a process that has just started."""
        self._tell_guard(f"+{child.pid}")
        self._write()

    def ended(self, group: int) -> None:
        """Note a process, and all it started, that has just ended."""
        self._tell_guard(f"-{group}")
        self._write()

    def _write(self) -> None:
        living = [child for child in self.children.values() if child.pid]
        rows = [
            {"name": c.name, "pid": c.pid, "started_at": c.started_at, "restarts": c.restarts}
            for c in living
        ]
        try:
            premises.write_processes(self.data_dir, rows)
            self.is_written = True
        except OSError as problem:
            # A full disk must not keep a dead process from being started again.
            self.is_written = False
            self.said("hub", f"processes.json was not written: {problem}")

    # The guard

    async def _keep_guard(self) -> None:
        while True:
            # It is born knowing them: the supervisor may be killed before it can say a word.
            known = self._groups()
            self.guard = await asyncio.create_subprocess_exec(
                sys.executable, "-ISE", guard.__file__, str(GRACE), *map(str, known),
                stdin=asyncio.subprocess.PIPE, pass_fds=[self.lock], start_new_session=True,
            )  # fmt: skip
            now = self._groups()
            for sign, groups in (("+", now - known), ("-", known - now)):
                for group in groups:
                    self._tell_guard(f"{sign}{group}")
            await self.guard.wait()

    def _groups(self) -> set[int]:
        return {child.pid for child in self.children.values() if child.pid}

    async def _dismiss_guard(self) -> None:
        if self.guard and self.guard.stdin:
            self.guard.stdin.close()
            await self.guard.wait()

    def _tell_guard(self, message: str) -> None:
        if self.guard and self.guard.stdin:
            self.guard.stdin.write(f"{message}\n".encode())


async def _ended(children: Sequence[Child], deadline: float) -> None:
    """Stop them together; who is still there at the deadline (of the loop's clock) is killed."""
    now = asyncio.get_running_loop().time()
    for child in children:
        child.stop(max(0.0, deadline - now))
    if children:
        await asyncio.wait([child.task for child in children])
