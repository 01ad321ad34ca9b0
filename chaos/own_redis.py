"""A Redis of the row's own, outside of the supervisor's reach, behind a relay."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from app import embedded_redis
from bench.processes import Process, until
from chaos.relay import Relay


class OwnRedis:
    """The embedded server as its users would run a separate one; `url` is the relay's."""

    def __init__(self, folder: Path, environ: Mapping[str, str] | None = None) -> None:
        words = embedded_redis.command(folder)
        self.process = Process(words, {**os.environ, **(environ or {})}, folder / "redis.log")
        listen = embedded_redis.socket_path(folder)
        until(lambda: embedded_redis.answers(listen), 20, "Redis answers")
        self.relay = Relay(listen)
        self.url = f"redis://127.0.0.1:{self.relay.port}/0"

    def __enter__(self) -> OwnRedis:
        return self

    def __exit__(self, *_: object) -> None:
        self.relay.close()
        self.process.stop()
