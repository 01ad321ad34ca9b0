"""`make run` once everything is installed: from the command to the first 200 of /health."""

from __future__ import annotations

import asyncio
import os
import sys
import time

from app.supervisor.premises import web_answers
from bench.figures import Figure, at_most
from bench.hub import PRODUCT
from bench.processes import Process, free_port, until
from bench.setting import Setting


def run(setting: Setting) -> list[Figure]:
    """With an empty data folder, then again with the same one."""
    cold, warm = [], []
    for _ in range(setting.rounds):
        folder = setting.place()
        folder.mkdir()
        environ = {key: value for key, value in os.environ.items() if key != "REDIS_URL"} | {
            "HUB_DATA_DIR": str(folder / "data"), "HUB_ENV_FILE": str(folder / "no.env"),
            "PORT": str(free_port()), "DATABASE_URL": setting.fresh_database(),
        }  # fmt: skip
        cold.append(_seconds(environ, setting))
        warm.append(_seconds(environ, setting))
    return [
        Figure("start with an empty data folder", "s", cold),
        Figure("second start", "s", warm, at_most(3)),
    ]


def _seconds(environ: dict[str, str], setting: Setting) -> float:
    python = str(PRODUCT) if PRODUCT.exists() else sys.executable
    started = time.monotonic()
    hub = Process([python, "-m", "app.supervisor"], environ, setting.folder / "start.log")
    try:
        port = int(environ["PORT"])
        until(lambda: asyncio.run(web_answers("127.0.0.1", port)), 60, "/health answers")
        return time.monotonic() - started
    finally:
        hub.stop(40)
