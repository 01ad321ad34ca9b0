"""What a web worker says once the next one serves; the reload itself is in the chaos run."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from granian.constants import Interfaces
from granian.server import MPServer

from app import server as web_server
from app.server import SERVING, Leaving, Server, _close_door
from tests.house.running import until

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the socket filter is Linux's own")


class Worker:
    """What the server asks of the process of a worker."""

    def __init__(self, alive: bool) -> None:
        self.is_alive = lambda: alive


def _hello(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]


def _headers(application: Leaving) -> dict[str, str]:
    told: list[tuple[str, str]] = []
    assert application({}, lambda status, headers: told.extend(headers)) == [b"ok"]
    return dict(told)


def test_sends_its_clients_to_the_next_worker(tmp_path: Path) -> None:
    application = Leaving(_hello, tmp_path)
    application.start()
    assert (tmp_path / SERVING).read_text() == str(os.getpid())
    assert _headers(application) == {"Content-Length": "2"}
    (tmp_path / SERVING).write_text("1")
    until(lambda: "Connection" in _headers(application))
    assert _headers(application) == {"Content-Length": "2", "Connection": "close"}


def test_the_last_one_asks_its_clients_to_leave_before_it_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    application, serving = Leaving(_hello, tmp_path), tmp_path / SERVING
    application.start()
    done: list[Any] = []
    server = _ending(serving, done, monkeypatch)
    server.wrks = [Worker(alive=True)]
    server.shutdown(3)
    assert done == [("waits", "0"), "door", ("waits", "0"), ("ends", 3)]
    until(lambda: "Connection" in _headers(application))


def test_without_a_worker_there_is_nobody_to_say_goodbye(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[Any] = []
    server = _ending(tmp_path / SERVING, done, monkeypatch)
    server.wrks = [Worker(alive=False)]
    server.shutdown(1)
    assert done == [("ends", 1)]


def _ending(serving: Path, done: list[Any], monkeypatch: pytest.MonkeyPatch) -> Server:
    """A server that writes down what it does at its end."""
    server = Server(serving, port=0, interface=Interfaces.WSGI)
    server._sso = object()
    wait = lambda _: done.append(("waits", serving.read_text()))  # noqa: E731
    monkeypatch.setattr(server._pause, "wait", wait)
    monkeypatch.setattr(web_server, "_close_door", lambda _: done.append("door") or True)
    monkeypatch.setattr(MPServer, "shutdown", lambda _, code: done.append(("ends", code)))
    return server


@LINUX
def test_nobody_comes_in_any_more_and_who_waits_is_still_answered() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        waits = socket.create_connection(listener.getsockname(), 5)
        assert _close_door(listener)
        with pytest.raises(TimeoutError):
            socket.create_connection(listener.getsockname(), 0.2)
        came, _ = listener.accept()
        with waits, came:
            waits.sendall(b"asks")
            assert came.recv(9) == b"asks"
            came.sendall(b"answers")
            assert waits.recv(9) == b"answers"


def test_a_door_that_cannot_be_closed_keeps_nobody_from_ending() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    listener.close()
    assert not _close_door(listener)


def test_serves_where_nothing_can_be_written(tmp_path: Path) -> None:
    application = Leaving(_hello, tmp_path / "missing")
    application.start()
    assert _headers(application) == {"Content-Length": "2"}
