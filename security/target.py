"""The hub that is attacked: real processes and partners on loopback, in a folder of its own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from app import embedded_redis
from tests.faults.running import ROOT, RunningHub
from tests.partners.client import Partners

PASSWORD = "uma senha longa de gestora 42"
EMAIL = "gestao@carinho.com.vc"
# An account at the practice provider, so that what asks WhatsApp is reached too.
WHATSAPP = {
    "ZAPI_INSTANCE_ID": "I1",
    "ZAPI_TOKEN": "token-of-instance",
    "ZAPI_CLIENT_TOKEN": "token-of-client",
}
KEY_COMMAND = ["integrations", "generate-api-key", "--name", "scanners", "--scopes", "*", "--json"]


@dataclass(frozen=True, slots=True)
class Target:
    """Where the hub listens, and what opens its doors."""

    url: str
    key: str
    cookie: str
    described: dict[str, Any]
    log: Path

    def complaints(self) -> list[str]:
        """Lines of the hub's log about errors that nobody expected."""
        lines = self.log.read_text(errors="replace").splitlines()
        return [line for line in lines if "unexpected error" in line]


@contextmanager
def started(folder: Path) -> Iterator[Target]:
    """A hub with some life in it: events that arrived and events that died; a manager signed in."""
    with Partners.start(own_ports=True) as partners:
        running = RunningHub(folder, partners, HUB_ADMIN_PASSWORD=PASSWORD, **WHATSAPP)
        try:
            running.send(5)
            partners.mode("crm", "400")
            running.send(20)
            key = full_key(running)
            described = requests.get(
                f"{running.url}/api/openapi.json", headers={"X-API-Key": key}, timeout=30
            )
            yield Target(running.url, key, _cookie(running.url), described.json(), running.hub.log)
        finally:
            running.hub.clear_up()


def full_key(running: RunningHub) -> str:
    """A key for every scope: what it cannot break, no other can."""
    environ = running.hub.environ | {"REDIS_URL": embedded_redis.url(running.data)}
    command = [sys.executable, "-m", "flask", "--app", "app", *KEY_COMMAND]
    made = subprocess.run(command, env=environ, cwd=ROOT, capture_output=True, check=True)
    return str(json.loads(made.stdout)["key"])


def _cookie(url: str) -> str:
    """The manager's session."""
    session = requests.Session()
    session.trust_env = False
    page = session.get(f"{url}/login", headers={"Accept": "text/html"}, timeout=30).text
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found, "the login page has no form"
    form = {"csrf_token": found[1], "email": EMAIL, "password": PASSWORD}
    session.post(f"{url}/login", data=form, timeout=30, allow_redirects=False)
    return f"hub={session.cookies['hub']}"
