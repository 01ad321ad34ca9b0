"""Clients that never finish their request take nothing from those who do."""

from __future__ import annotations

import socket
from contextlib import ExitStack

import pytest
import requests

from tests.faults.running import RunningHub

pytestmark = pytest.mark.faults

SLOW = 200
HALF_A_REQUEST = b"POST /api/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\nX-Slow: "


def test_two_hundred_slow_clients_hold_nobody_up(running: RunningHub) -> None:
    with ExitStack() as stack:
        for _ in range(SLOW):
            client = stack.enter_context(
                socket.create_connection(("127.0.0.1", running.hub.port), timeout=5)
            )
            client.sendall(HALF_A_REQUEST)
        assert requests.get(f"{running.url}/health", timeout=5).status_code == 200
        running.delivered(running.send(20))
