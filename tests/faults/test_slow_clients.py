"""Clients that never finish their request take nothing from those who do."""

from __future__ import annotations

import socket
from contextlib import ExitStack

import pytest
import requests

from tests.faults.running import RunningHub
from tests.house.running import until

pytestmark = pytest.mark.faults

SLOW = 200
# Twice as many as there are threads to read them.
SLOW_BODIES = 64
HEAD = b"POST /webhooks/crm/client-registered HTTP/1.1\r\nHost: 127.0.0.1\r\n"
HALF_A_BODY = [
    HEAD + b"Content-Length: 50000\r\n\r\n{",
    HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
]
HALF_A_REQUEST = b"POST /api/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\nX-Slow: "


def _send(running: RunningHub, stack: ExitStack, words: bytes, times: int) -> None:
    """So many clients that say this and no more."""
    for _ in range(times):
        client = socket.create_connection(("127.0.0.1", running.hub.port), timeout=5)
        stack.enter_context(client).sendall(words)


def test_two_hundred_slow_clients_hold_nobody_up(running: RunningHub) -> None:
    with ExitStack() as stack:
        _send(running, stack, HALF_A_REQUEST, SLOW)
        assert requests.get(f"{running.url}/health", timeout=5).status_code == 200
        running.delivered(running.send(20))


@pytest.mark.parametrize("words", HALF_A_BODY, ids=["length", "chunked"])
def test_slow_bodies_leave_the_pages_alone(running: RunningHub, words: bytes) -> None:
    with ExitStack() as stack:
        _send(running, stack, words, SLOW_BODIES)
        event = {"event_type": "lead.updated", "source_system": "site", "payload": {"id": 7}}

        def refused() -> bool:
            """Once they have all the places a body may wait in."""
            url, key = f"{running.url}/api/events", running.key
            answer = requests.post(url, json=event, headers=key, timeout=20)
            return answer.status_code == 503 and answer.headers["Retry-After"] == "5"

        until(refused)
        for path in ("/health", "/login"):
            assert requests.get(f"{running.url}{path}", timeout=10).status_code == 200
    running.delivered(running.send(20))
