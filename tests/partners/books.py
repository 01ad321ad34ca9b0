"""What one system remembers of the requests it got."""

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

KEPT_REQUESTS = 200_000
# Headers and bodies are kept while they fit in here; an older request keeps its line only.
WHOLE_BYTES = 128 * 1024 * 1024
ENTRY_OVERHEAD = 1_000

RawHeaders = tuple[tuple[bytes, bytes], ...]


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


@dataclass(slots=True)
class Entry:
    """One request; status 0 means that it was never (or not whole) answered."""

    method: str
    path: str
    headers: RawHeaders
    body: bytes
    at: int
    webhook_id: str
    # The sender's port: the process that holds this connection can be found by it.
    client_port: int = 0
    mode: str = "ok"
    status: int = 0

    def weight(self) -> int:
        """About how many bytes the whole entry holds."""
        return len(self.body) + ENTRY_OVERHEAD

    def as_json(self) -> dict[str, Any]:
        """The entry as the control API shows it."""
        return {
            "method": self.method,
            "path": self.path,
            "headers": {k.decode("latin-1"): v.decode("latin-1") for k, v in self.headers},
            "body": self.body.decode("utf-8", "replace"),
            "at": self.at,
            "webhook_id": self.webhook_id,
            "client_port": self.client_port,
            "mode": self.mode,
            "status": self.status,
        }


class Book:
    """The last requests of one system, its counters, and how often each message was accepted."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self.received = 0
        self.accepted = 0
        self.bad_signatures = 0
        self.accepted_by_id: dict[str, int] = {}
        self._whole: deque[Entry] = deque()
        self._bare: deque[Entry] = deque(maxlen=KEPT_REQUESTS)
        self._weight = 0

    def open(self, entry: Entry) -> None:
        """Write a request down as it arrives."""
        self.received += 1
        self._whole.append(entry)
        self._weight += entry.weight()
        while self._weight > WHOLE_BYTES or len(self._whole) > KEPT_REQUESTS:
            self._strip(self._whole.popleft())

    def close(self, entry: Entry, status: int) -> None:
        """Write down what was answered; only a 2xx counts as accepted."""
        entry.status = status
        if not 200 <= status < 300:
            return
        self.accepted += 1
        if entry.webhook_id:
            times = self.accepted_by_id.get(entry.webhook_id, 0)
            self.accepted_by_id[entry.webhook_id] = times + 1

    def counters(self) -> dict[str, int]:
        """The counters as the control API shows them."""
        return {
            "received": self.received,
            "accepted": self.accepted,
            "bad_signatures": self.bad_signatures,
            "distinct_ids": len(self.accepted_by_id),
            "repeated_ids": self.accepted_repeats(),
        }

    def accepted_repeats(self) -> int:
        """How many acceptances were one too many for their message id."""
        return sum(self.accepted_by_id.values()) - len(self.accepted_by_id)

    def last(self, limit: int, path: str = "", method: str = "") -> list[dict[str, Any]]:
        """The newest matching requests, oldest of them first."""
        found: list[Entry] = []
        for entry in self._newest_first():
            if len(found) == limit:
                break
            if path in entry.path and method in ("", entry.method):
                found.append(entry)
        return [entry.as_json() for entry in reversed(found)]

    def _newest_first(self) -> Iterator[Entry]:
        yield from reversed(self._whole)
        room = KEPT_REQUESTS - len(self._whole)
        for place, entry in enumerate(reversed(self._bare)):
            if place == room:
                return
            yield entry

    def _strip(self, entry: Entry) -> None:
        self._weight -= entry.weight()
        entry.headers, entry.body = (), b""
        self._bare.append(entry)
