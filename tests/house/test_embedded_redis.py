"""The Redis that comes along: alone on its socket, durable, kept alive."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from app import embedded_redis
from tests.house.running import SLEEPER, Hub, until


@contextmanager
def running(data_dir: Path) -> Iterator[redis.Redis]:
    server = subprocess.Popen(embedded_redis.command(data_dir), stdout=subprocess.DEVNULL)
    try:
        until(lambda: embedded_redis.answers(embedded_redis.socket_path(data_dir)))
        with redis.Redis.from_url(embedded_redis.url(data_dir)) as client:
            yield client
    finally:
        server.kill()
        server.wait()


def test_answers_on_its_socket_and_on_no_port(tmp_path: Path) -> None:
    with running(tmp_path) as client:
        assert client.config_get("port") == {"port": "0"}
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert (tmp_path / "redis.sock").stat().st_mode & 0o077 == 0


def test_keeps_its_data_through_a_kill(tmp_path: Path) -> None:
    with running(tmp_path) as client:
        client.set("kept", "yes")
        # One turn of the server after the write: the append-only file has been written.
        client.ping()
    with running(tmp_path) as client:
        assert client.get("kept") == b"yes"


def test_a_deep_folder_gets_a_short_private_socket(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    listen = embedded_redis.socket_path(deep)
    assert len(os.fsencode(listen)) <= embedded_redis.LONGEST_SOCKET_PATH
    try:
        with running(deep) as client:
            assert client.ping()
        assert listen.parent.stat().st_mode & 0o777 == 0o700
        listen.parent.chmod(0o777)
        with pytest.raises(PermissionError, match="HUB_DATA_DIR"):
            embedded_redis.command(deep)
    finally:
        shutil.rmtree(listen.parent)


def test_silence_is_no_answer(tmp_path: Path) -> None:
    assert not embedded_redis.answers(tmp_path / "redis.sock")


def test_the_supervisor_brings_it_back_with_its_data(hub: Callable[..., Hub]) -> None:
    started = hub(f"high: {SLEEPER}\n", REDIS_URL="")
    pid = started.up("redis", "high.1")["redis"]
    data_dir = started.folder / "data"
    with redis.Redis.from_url(embedded_redis.url(data_dir)) as client:
        client.set("kept", "yes")
        os.kill(pid, signal.SIGKILL)
        until(lambda: started.pids().get("redis", pid) != pid)
        until(lambda: embedded_redis.answers(embedded_redis.socket_path(data_dir)))
        assert client.get("kept") == b"yes"


def _spoil(folder: Path) -> None:
    """Noughts in the middle of what it wrote down, as after a power cut."""
    (file,) = folder.glob("appendonlydir/*.incr.aof")
    content = file.read_bytes()
    file.write_bytes(content[:20] + bytes(4_096) + content[20:])


def test_what_it_cannot_read_is_set_aside(hub: Callable[..., Hub]) -> None:
    """While it runs, and before it is started."""
    started = hub(f"high: {SLEEPER}\n", REDIS_URL="")
    data_dir = started.folder / "data"
    listen = embedded_redis.socket_path(data_dir)
    for times in (1, 2):
        pid = started.up("redis", "high.1")["redis"]
        with redis.Redis.from_url(embedded_redis.url(data_dir)) as client:
            client.set("kept", "x" * 100)
            client.ping()
        if times == 2:
            started.send(signal.SIGTERM)
            assert started.ended() == 0
        _spoil(data_dir / "redis")
        if times == 2:
            started.start()
        else:
            os.kill(pid, signal.SIGKILL)
        until(lambda n=times: started.text().count("it begins anew") == n)
        until(lambda: embedded_redis.answers(listen))
        with redis.Redis.from_url(embedded_redis.url(data_dir)) as client:
            assert client.get("kept") is None
        assert (data_dir / "redis.damaged" / "appendonlydir").is_dir()


def test_processes_are_told_where_it_is(hub: Callable[..., Hub]) -> None:
    started = hub("high: python -c \"import os; print(os.environ['REDIS_URL'])\"\n", REDIS_URL="")
    address = embedded_redis.url(started.folder / "data")
    until(lambda: f"| {address}\n" in started.text())
