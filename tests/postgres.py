"""A throw-away PostgreSQL for one test process: own folder, Unix socket only, no fsync."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import threading
from collections import deque
from collections.abc import Sequence
from itertools import count
from pathlib import Path

import psycopg

READY = b"ready to accept connections"
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "listen_addresses=")


def _program(name: str) -> str:
    """Path of one of PostgreSQL's programs; Debian keeps them off the PATH."""
    found = shutil.which(name)
    return found or str(max(Path("/usr/lib/postgresql").glob(f"*/bin/{name}")))


def _user() -> str | None:
    """PostgreSQL refuses to run as root: whom to become, or None to stay who we are."""
    if os.getuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


class Postgres:
    """One instance; `new_database` makes databases from a template that is filled once."""

    def __init__(self, settings: Sequence[str] = FAST) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="hub-pg-"))
        self._numbers = count(1)
        self._user = _user()
        if self._user:
            shutil.chown(self.folder, self._user)
        self._run("initdb", "-A", "trust", "-U", "hub", "-E", "UTF8", "--locale=C", "--no-sync")
        self._options = ("-k", str(self.folder), "-N", "200", *(f"--{each}" for each in settings))
        self.start()

    def start(self) -> None:
        """Start the server, for the first time or after a crash."""
        self.server = subprocess.Popen(
            [_program("postgres"), "-D", self.folder / "data", *self._options],
            stderr=subprocess.PIPE,
            user=self._user,
            cwd="/",
        )
        self._wait_until_ready()

    def crash(self) -> None:
        """End the server in the middle of whatever it does; the next start recovers."""
        self.server.send_signal(signal.SIGQUIT)
        self.server.wait(10)

    def _run(self, name: str, *words: str) -> None:
        command = [_program(name), "-D", self.folder / "data", *words]
        subprocess.run(command, check=True, capture_output=True, user=self._user, cwd="/")

    def _wait_until_ready(self) -> None:
        assert self.server.stderr is not None
        seen = []
        for line in self.server.stderr:
            seen.append(line)
            if READY in line:
                # Read on: a server whose log pipe is full stops in the middle of a statement.
                threading.Thread(target=deque, args=(self.server.stderr, 0), daemon=True).start()
                return
        raise RuntimeError(b"".join(seen).decode())

    def url(self, name: str) -> str:
        """DATABASE_URL of one of its databases."""
        return f"postgresql://hub@/{name}?host={self.folder}"

    def execute(self, statement: str) -> None:
        """Run one statement as the owner, outside a transaction."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[arg-type]

    def new_database(self, template: str = "template1") -> str:
        """Name of a fresh copy of the template."""
        name = f"hub_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop(self, name: str) -> None:
        """Remove a database and whoever still sits in it."""
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def stop(self) -> None:
        """End the server at once and remove its folder."""
        self.crash()
        shutil.rmtree(self.folder, ignore_errors=True)
