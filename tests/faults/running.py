"""The whole hub as real processes under its supervisor, and what a fault test does to it."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import redis as redis_py
import requests

from app import embedded_redis
from tests.house.running import ROOT, Hub, until
from tests.partners.client import Partners

KEY_COMMAND = ["integrations", "generate-api-key", "--name", "faults", "--json"]
SHORT = {
    "DELIVERY_TIMEOUT": "2",
    "DELIVERY_CONNECT_TIMEOUT": "1",
    "DELIVERY_LEASE": "3",
    "RETRY_BASE_DELAY": "0.5",
    "RETRY_MAX_ATTEMPTS": "20",
    "CIRCUIT_BREAKER_TIMEOUT": "1",
    "HUB_WORKERS": "high=2",
    "HUB_ALLOWED_NETWORKS": "127.0.0.0/8",
    "RATE_LIMIT_PER_MINUTE": "100000",
    "RATE_LIMIT_BURST": "100000",
    "REDIS_URL": "",
}
WORKERS = ("high.1", "high.2", "retry.1", "default.1")
EVERYONE = ("redis", "web", *WORKERS, "notifications.1", "low.1", "scheduler.1")


class RunningHub:
    """A started hub: its doors, its books, its processes."""

    def __init__(self, folder: Path, partners: Partners, **environ: str) -> None:
        self.partners = partners
        lines = (ROOT / "Procfile").read_text()
        self.hub = Hub(folder, lines, **{**SHORT, **partners.environment(), **environ})
        self.data = folder / "data"
        self.url = f"http://127.0.0.1:{self.hub.port}"
        self._session = requests.Session()
        self._session.trust_env = False
        try:
            self._settle()
        except BaseException:
            self.hub.clear_up()
            raise

    def _settle(self) -> None:
        """Wait for all its processes; a key for who asks it; nothing pulled."""
        until(lambda: set(self.hub.pids()) >= set(EVERYONE), 60)
        self.key = {"X-API-Key": self._key()}
        self._session.headers.update(self.key)
        self.without_pulls()

    def _key(self) -> str:
        command = [sys.executable, "-m", "flask", "--app", "app", *KEY_COMMAND]
        environ = self.hub.environ | {"REDIS_URL": embedded_redis.url(self.data)}
        made = subprocess.run(command, env=environ, cwd=ROOT, capture_output=True, check=True)
        return str(json.loads(made.stdout)["key"])

    def post(self, path: str, document: Any) -> requests.Response:
        """One request of a program that has a key."""
        return self._session.post(f"{self.url}{path}", json=document, timeout=30)

    def callback(self, phone: str, token: str) -> int:
        """Somebody writes on WhatsApp, as the provider tells it; the hub's answer."""
        told = {
            "type": "ReceivedCallback", "instanceId": "I", "messageId": f"M{phone}", "phone": phone,
            "fromMe": False, "senderName": "Helena", "text": {"message": "Olá"},
        }  # fmt: skip
        url, proof = f"{self.url}/webhooks/whatsapp", {"z-api-token": token}
        return requests.post(url, json=told, headers=proof, timeout=30).status_code

    def send(
        self, count: int, event_type: str = "lead.updated", source: str = "site", **payload: Any
    ) -> list[int]:
        """Have so many events accepted; their ids."""
        ids = []
        for number in range(count):
            answer = self._session.post(
                f"{self.url}/api/events",
                json={
                    "event_type": event_type,
                    "source_system": source,
                    "payload": {"name": "Maria", "number": number, **payload},
                },
                timeout=30,
            )
            assert answer.status_code == 201, answer.text + self.hub.text()[-3_000:]
            ids.append(int(answer.json()["data"]["id"]))
        return ids

    def ask(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Read the database from outside."""
        with closing(sqlite3.connect(self.data / "hub.db", timeout=10)) as connection:
            return connection.execute(query, values).fetchall()

    def write(self, statement: str) -> None:
        """Change the database from outside."""
        with closing(sqlite3.connect(self.data / "hub.db", timeout=10)) as connection:
            connection.execute(statement)
            connection.commit()

    def without_pulls(self) -> None:
        """No scheduled pull asks the systems for anything from now on."""
        self.write("UPDATE sync_schedules SET paused = 1")
        under_way = "SELECT count(*) FROM sync_runs WHERE status IN ('queued', 'running')"
        until(lambda: self.ask(under_way) == [(0,)], 60)
        for system in ("crm", "operacao", "cuidadores"):
            self.partners.clear(system)

    def redis(self) -> redis_py.Redis:
        return redis_py.Redis.from_url(embedded_redis.url(self.data))

    def kill(self, name: str) -> int:
        """kill -9 one process by its name; its id."""
        pid = self.hub.pids()[name]
        os.kill(pid, signal.SIGKILL)
        return pid

    def reborn(self, name: str, before: int) -> None:
        """Wait until the supervisor has started it anew."""
        until(lambda: self.hub.pids().get(name) not in (None, before), 30)

    def delivered(self, ids: list[int], seconds: float = 60.0) -> None:
        """Wait until every one of the events is done."""
        marks = ",".join("?" * len(ids))
        query = f"SELECT id, status FROM integration_events WHERE id IN ({marks})"

        def all_done() -> bool:
            found = dict(self.ask(query, *ids))
            return found.keys() == set(ids) and set(found.values()) == {"done"}

        try:
            until(all_done, seconds)
        except AssertionError:
            print(self.hub.text()[-8_000:])
            print(self.ask("SELECT id, status, queue, attempts, crashes, lease FROM deliveries"))
            raise

    def accepted_ids(self, system: str = "crm") -> dict[str, int]:
        """How often the partner accepted each message."""
        return self.partners.messages(system)

    def in_flight(self, system: str = "crm") -> int:
        query = "SELECT count(*) FROM deliveries WHERE lease IS NOT NULL AND system = ?"
        return int(self.ask(query, system)[0][0])

    def stop(self) -> None:
        """Ask it to end; nothing of it may stay."""
        family = self.hub.family()
        self.hub.send(signal.SIGTERM)
        assert self.hub.ended(40) == 0, self.hub.text()[-4_000:]
        assert psutil.wait_procs(family, timeout=5)[1] == []


class Trickle:
    """Somebody who sends events all the time, repeating each until it is accepted."""

    def __init__(self, hub: RunningHub) -> None:
        self.hub = hub
        self.ids: list[int] = []
        self.refused = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(0.03):
            try:
                self.ids += self.hub.send(1)
            except (requests.RequestException, AssertionError):
                self.refused += 1

    def stop(self) -> list[int]:
        """What was accepted."""
        self._stop.set()
        self._thread.join()
        return self.ids
