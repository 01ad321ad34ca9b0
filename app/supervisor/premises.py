"""What a hub needs to itself before it starts: the lock on its data folder and its port."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import signal
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import Any


class CannotStart(Exception):
    """The hub cannot start here; the text is the one line that the person sees."""


async def lock(data_dir: Path, patience: float) -> int:
    """Take the data folder for this process and return the descriptor that holds it.

    A hub that is alive refuses at once; one that was killed is given `patience` seconds, in which
    its guard ends what it left.
    """
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = os.open(data_dir / "supervisor.pid", os.O_RDWR | os.O_CREAT, 0o600)
    for _ in range(max(1, int(patience * 10))):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _refuse_if_alive(file, data_dir)
            await asyncio.sleep(0.1)
        else:
            os.ftruncate(file, 0)
            os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
            return file
    raise CannotStart(f"{data_dir} is still held by what a killed hub left behind; try again")


def _refuse_if_alive(file: int, data_dir: Path) -> None:
    pid = os.pread(file, 32, 0).strip()
    if not pid.isdigit():
        return
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return
    except PermissionError:
        pass
    raise CannotStart(f"another hub (process {int(pid)}) is running on {data_dir}; stop it first")


def need_port(host: str, port: int) -> None:
    """Refuse with one clear line when somebody listens on the port already."""
    for family, kind, protocol, _, address in socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    ):
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(address)
            except OSError as problem:
                raise CannotStart(
                    f"port {port} on {host} is not free ({problem.strerror}); choose another "
                    "one with PORT"
                ) from None


async def web_answers(host: str, port: int) -> bool:
    """Whether the web process answers /health, whatever it says."""
    here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    try:
        async with asyncio.timeout(2):
            reader, writer = await asyncio.open_connection(here, port)
            writer.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            head = await reader.readline()
            writer.close()
    except (OSError, TimeoutError):
        return False
    return head.startswith(b"HTTP/1.")


def write_processes(data_dir: Path, processes: Iterable[dict[str, Any]]) -> None:
    """Replace processes.json, the list that the console and the command line show."""
    fresh = data_dir / "processes.json.new"
    fresh.write_text(json.dumps(list(processes), indent=1), encoding="utf-8")
    fresh.replace(data_dir / "processes.json")


def renew(data_dir: Path) -> int | None:
    """Ask the supervisor of the folder to renew its processes; its id, None where none runs."""
    try:
        file = os.open(data_dir / "supervisor.pid", os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        # Held, so its number is that of a living hub (or of its guard's last seconds).
        pid = int(os.pread(file, 32, 0))
        try:
            os.kill(pid, signal.SIGHUP)
        except ProcessLookupError:
            return None
        return pid
    finally:
        os.close(file)
    return None
