"""The whole product as its users run it: the supervisor, its process groups, its books."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil
import redis as redis_py
import requests
from sqlalchemy import Engine, create_engine, text

from app import config, create_app, embedded_redis, slow_statements
from app.access.actions.api_keys import generate_api_key
from app.access.actor import SYSTEM
from app.db import db, reading
from app.systems.queries import snapshot
from bench.processes import Process, free_port, until
from chaos.target import SYSTEMS

# Short times, so that minutes show what takes hours; every promise is told in these terms.
SHORT = {
    "DELIVERY_TIMEOUT": "2",
    "DELIVERY_CONNECT_TIMEOUT": "1",
    "DELIVERY_LEASE": "4",
    "RETRY_BASE_DELAY": "1",
    "RETRY_MAX_ATTEMPTS": "8",
    "CIRCUIT_BREAKER_TIMEOUT": "2",
    "HUB_WORKERS": "high=2",
    "HUB_ALLOWED_NETWORKS": "127.0.0.0/8",
    "RATE_LIMIT_PER_MINUTE": "100000000",
    "RATE_LIMIT_BURST": "1000000",
    "HUB_ADMIN_PASSWORD": "uma senha so para o ensaio",
    "ZAPI_ENABLED": "0",
    "REDIS_URL": "",
}
STARTS = 90.0
# Processes that write no heartbeat.
SILENT = ("web", "redis")
SUPERVISOR = (sys.executable, "-m", "app.supervisor", "Procfile")


class Hub:
    """One installation on a folder of its own; close it to end its processes."""

    def __init__(
        self,
        folder: Path,
        target: str,
        database: str = "",
        words: Sequence[str] = SUPERVISOR,
        **environ: str,
    ) -> None:
        """`words` start the supervisor: on another Procfile, say."""
        self.folder = folder
        self.words = words
        self.data = folder / "data"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environ = {
            **os.environ,
            **SHORT,
            **{f"CARINHO_{name.upper()}_URL": f"{target}/{name}" for name in SYSTEMS},
            "HUB_DATA_DIR": str(self.data),
            "HUB_ENV_FILE": str(folder / "no.env"),
            "HUB_HOST": "127.0.0.1",
            "PORT": str(self.port),
            "DATABASE_URL": database,
            **environ,
        }
        self.log = folder / "log"
        self._engine: Engine | None = None
        self.process = self._start()
        try:
            self._wait_until_whole()
            self._prepare()
            self.wait_for_beats()
        except BaseException:
            self.process.stop()
            raise

    def _start(self) -> Process:
        return Process(self.words, self.environ, self.log)

    def _wait_until_whole(self) -> None:
        until(self._whole, STARTS, f"the hub is up\n{self.text()[-2_000:]}", 0.1)

    def _whole(self) -> bool:
        if not self.process.alive():
            raise RuntimeError(f"the hub ended at its start:\n{self.text()[-2_000:]}")
        return {"web", "high.1", "scheduler.1"} <= self.pids().keys()

    def _prepare(self) -> None:
        """A key, the secrets of the endpoints, and no pull that would mix with the traffic."""
        redis_url = self.environ["REDIS_URL"] or embedded_redis.url(self.data)
        self.settings = config.load({**self.environ, "REDIS_URL": redis_url})
        self._engine = create_engine(self.settings.sqlalchemy_url, pool_pre_ping=True)
        app = create_app(self.settings)
        with app.app_context():
            self.api_key = generate_api_key(SYSTEM, "chaos", ("*",)).key
            with reading() as c:
                targets = snapshot.targets(c).values()
                self._secrets = {each.system: each.secrets for each in targets}
            db.engine.dispose()
        self.run("UPDATE sync_schedules SET paused = true")

    def secrets(self) -> Mapping[str, Sequence[str]]:
        """What each system's deliveries are signed with."""
        return self._secrets

    def start_again(self) -> None:
        """The same installation once more, after an end."""
        self.process = self._start()
        self._wait_until_whole()
        self.wait_for_beats()

    # Its processes

    def wait_for_beats(self) -> None:
        """Until every worker and the scheduler are heard of: started is not yet at work."""

        def all_beat() -> bool:
            beating = {row.pid for row in self.query("SELECT pid FROM heartbeats")}
            return {pid for name, pid in self.pids().items() if name not in SILENT} <= beating

        until(all_beat, STARTS, "every process beats", 0.1)

    def pids(self) -> dict[str, int]:
        """Leaders of the process groups by name (web, high.1, redis, …)."""
        try:
            rows = json.loads((self.data / "processes.json").read_bytes())
        except (OSError, ValueError):
            return {}
        return {row["name"]: row["pid"] for row in rows}

    def at_work(self, name: str) -> bool:
        """Whether a process is past its start: it beats, or answers."""
        pid = self.pids().get(name)
        if pid is None or name == "redis":
            return pid is not None
        if name == "web":
            return self._web_answers()
        return pid in {row.pid for row in self.query("SELECT pid FROM heartbeats")}

    def _web_answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/health", timeout=1).status_code < 500
        except requests.RequestException:
            return False

    def kill(self, name: str) -> int | None:
        """kill -9 a whole process group; its leader's id, None when it was dead already."""
        pid = self.pids().get(name)
        if pid is None or not self.owns(pid):
            return None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
            return pid
        return None

    def owns(self, pid: int) -> bool:
        """Whether the process is a child of our supervisor: nothing else is ever touched."""
        try:
            stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return False
        return int(stat[1]) == self.process.pid

    def family(self) -> list[psutil.Process]:
        """Everything that its supervisor started, directly or not."""
        try:
            return psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def send_signal(self, number: signal.Signals) -> None:
        """A signal for the supervisor."""
        self.process.popen.send_signal(number)

    # Its books

    @property
    def engine(self) -> Engine:
        """Connections from outside of the product."""
        assert self._engine is not None
        return self._engine

    def query(self, statement: str, **values: Any) -> Sequence[Any]:
        """Rows of a statement."""
        with self.engine.connect() as c:
            return c.execute(text(statement), values).all()

    def count(self, table: str, where: str = "1 = 1") -> int:
        """How many rows."""
        return int(self.query(f"SELECT count(*) FROM {table} WHERE {where}")[0][0])

    def run(self, statement: str, **values: Any) -> None:
        """Write behind the product's back (due times, many rows)."""
        with self.engine.begin() as c:
            c.execute(text(statement), values)

    def intact(self) -> bool:
        """What the database says of its own integrity."""
        if self.engine.dialect.name != "sqlite":
            return True
        return [tuple(row) for row in self.query("PRAGMA integrity_check")] == [("ok",)]

    def redis(self) -> redis_py.Redis:
        """Its Redis."""
        return redis_py.Redis.from_url(self.settings.redis_url, socket_timeout=5)

    def text(self) -> str:
        """What all its processes printed."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def slow(self) -> list[str]:
        """The last statements that its processes waited for."""
        file = self.data / slow_statements.FILE
        return file.read_text().splitlines()[-200:] if file.exists() else []

    def stop(self) -> int:
        """Ask it to end; its exit status."""
        self.process.popen.terminate()
        return self.process.popen.wait(60)

    def close(self) -> None:
        """End it and everything it started."""
        if self._engine is not None:
            self._engine.dispose()
        family = self.family()
        self.process.stop(grace=30)
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    def __enter__(self) -> Hub:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
