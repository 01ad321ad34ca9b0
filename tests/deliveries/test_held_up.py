"""A worker that a disk or Redis held up reads what has come before it calls anything late."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest
import uvloop

from app import clock
from app.deliveries.http import Sender
from tests.deliveries.rough import GOOD, LOOPBACK, outgoing
from tests.house.running import until

# Seconds: long enough for the partner to answer on a busy machine.
PATIENT = 2.0


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """As the engine has it: it runs while the worker drains, and stands still in between."""
    loop = uvloop.new_event_loop()
    yield loop
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


def stand_still(seconds: float) -> None:
    """Until a deadline is certainly over."""
    end = clock.monotonic() + seconds
    until(lambda: clock.monotonic() > end)


def taken(server: socket.socket) -> socket.socket:
    """The partner's end of a connection on which a request has arrived."""
    connection, _ = server.accept()
    connection.recv(65_536)
    return connection


@pytest.mark.parametrize("more", [False, True])
def test_an_answer_that_has_come_counts(loop: asyncio.AbstractEventLoop, more: bool) -> None:
    """`more`: the connection serves the next request, with a deadline of its own."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        sender = Sender(LOOPBACK, most=1)
        loop.run_until_complete(sender.__aenter__())
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        task = loop.create_task(sender.send(outgoing(url, PATIENT)))
        partner = loop.run_until_complete(loop.run_in_executor(None, taken, server))
        partner.sendall(GOOD)
        stand_still(PATIENT)
        assert loop.run_until_complete(task).accepted
        if more:
            late = loop.run_until_complete(sender.send(outgoing(url)))
            assert (late.accepted, late.error_class) == (False, "timeout")
        loop.run_until_complete(sender.__aexit__(None, None, None))
        partner.close()
