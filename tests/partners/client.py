"""The partners as a test uses them: a real process, and its control API."""

import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self, TypeVar

import requests

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 20.0
POLL_SECONDS = 0.01
Found = TypeVar("Found")


class Partners:
    """One running partner process."""

    def __init__(self, process: subprocess.Popen[str], base: str) -> None:
        self._process = process
        self.base = base
        self._session = requests.Session()
        self._session.trust_env = False
        self._urls: dict[str, str] = {
            name: one["url"] for name, one in self.state()["systems"].items()
        }

    @classmethod
    def start(cls, *words: str, own_ports: bool = False) -> Self:
        """Start on a free port and return when it answers; `words` go on the command line."""
        command = [sys.executable, "-m", "tests.partners", "--port", "0", "--until-eof", *words]
        process = subprocess.Popen(
            [*command, "--own-ports"] if own_ports else command,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            return cls(process, _ready_address(process))
        except BaseException:
            process.kill()
            process.wait()
            raise

    def stop(self) -> None:
        """End the process; doing it twice is harmless."""
        self._session.close()
        self._process.terminate()
        self._process.communicate(timeout=START_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def url(self, system: str) -> str:
        """The base URL of a system: its own port if it has one, else the shared port."""
        return self._urls[system]

    def environment(self) -> dict[str, str]:
        """The settings that point a hub to these partners."""
        internal = {
            f"CARINHO_{name.upper()}_URL": url
            for name, url in self._urls.items()
            if name != "whatsapp"
        }
        return {**internal, "ZAPI_BASE_URL": self._urls["whatsapp"]}

    def state(self) -> dict[str, Any]:
        """All systems with their switches and counters."""
        return self._ask("GET", "")

    def counters(self, system: str) -> dict[str, Any]:
        """One system: mode, received, accepted, bad_signatures, distinct_ids, repeated_ids."""
        return self._ask("GET", system)

    def mode(self, system: str, mode: str, **details: Any) -> dict[str, Any]:
        """Set a switch; details: ms, retry_after, times, body_contains, path_contains, method,
        text (of the mode `answer`).

        With `add=True` the switches set before stay; the first one that applies counts.
        """
        return self._ask("POST", f"{system}/mode", {"mode": mode, **details})

    def poison(self, system: str, text: str, status: int = 400) -> dict[str, Any]:
        """From now on bodies that contain the text get this status."""
        return self.mode(system, str(status), body_contains=text, add=True)

    def disconnect_whatsapp(self, restorable: bool = True) -> None:
        """Take the phone away; unless restorable only a new QR code brings it back."""
        self._ask("POST", "whatsapp/connection", {"connected": False, "restorable": restorable})

    def connect_whatsapp(self) -> None:
        """Read the QR code."""
        self._ask("POST", "whatsapp/connection", {"connected": True})

    def secret(self, system: str, *secrets: str) -> None:
        """Check signatures from now on; any of the secrets will do, none: no check."""
        self._ask("POST", f"{system}/secret", {"secrets": list(secrets)})

    def api_key(self, system: str, key: str, **zapi: str) -> None:
        """Check X-API-Key (WhatsApp: Client-Token, and `instance`, `token`) from now on."""
        self._ask("POST", f"{system}/api-key", {"key": key, **zapi})

    def book(
        self, system: str, limit: int = 1_000, path: str = "", method: str = ""
    ) -> list[dict[str, Any]]:
        """The last requests, oldest first."""
        wanted = {"limit": limit, "path": path, "method": method}
        requests_seen: list[dict[str, Any]] = self._ask("GET", f"{system}/book", query=wanted)[
            "requests"
        ]
        return requests_seen

    def clear(self, system: str) -> None:
        """Forget the requests of one system."""
        self._ask("DELETE", f"{system}/book")

    def messages(self, system: str) -> dict[str, int]:
        """How often each webhook-id was accepted."""
        return self._ask("GET", f"{system}/messages")

    def rows(self, system: str, table: str) -> list[dict[str, Any]]:
        """The business rows of a system; WhatsApp has the tables sent and waiting."""
        found: list[dict[str, Any]] = self._ask("GET", f"{system}/rows").get(table, [])
        return found

    def seed(self, **counts: int) -> dict[str, int]:
        """Let items wait for the syncs: schedules, services, billing, caregivers (and seed)."""
        return self._ask("POST", "seed", counts)

    def point_to_hub(self, url: str, api_key: str = "", rate: float = 0.0, **secrets: str) -> None:
        """Let callbacks and the stream of events go to this hub."""
        values = {"url": url, "api_key": api_key, "rate": rate, "secrets": secrets}
        self._ask("POST", "hub", values)

    def send_events(self, count: int) -> list[int]:
        """Send so many realistic events to the hub now; its answers."""
        statuses: list[int] = self._ask("POST", "events", {"n": count})["statuses"]
        return statuses

    def reset(self) -> None:
        """As at the start: no switch, no secret, no hub, empty books."""
        self._ask("POST", "reset")

    def wait_for(self, predicate: Callable[[], Found], timeout: float = 10.0) -> Found:
        """Wait until the predicate holds; gives what it returned."""
        deadline = time.monotonic() + timeout
        pause = threading.Event()
        while not (found := predicate()):
            if time.monotonic() > deadline:
                raise AssertionError(f"Not within {timeout} s; partners: {self.state()}")
            pause.wait(POLL_SECONDS)
        return found

    def _ask(
        self,
        method: str,
        path: str,
        values: dict[str, Any] | None = None,
        query: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        address = f"{self.base}/_partners/{path}"
        answer = self._session.request(method, address, json=values, params=query, timeout=30)
        answer.raise_for_status()
        document: dict[str, Any] = answer.json()
        return document


def _ready_address(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    readable, _, _ = select.select([process.stdout], [], [], START_SECONDS)
    line = process.stdout.readline() if readable else ""
    if not line.startswith("ready "):
        raise RuntimeError(f"The partners did not start: {line!r}")
    return line.split()[1]
