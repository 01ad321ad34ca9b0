"""Statements that the database was slow to answer, as the application waited for them.

Written as lines of a bounded file that all processes share: a table of the database would be the
last thing to write to while it is slow. Parameters are left out, they are personal data.
"""

from __future__ import annotations

import json
import logging
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import Engine, event

from app import clock
from app.db import db

SLOW_MS = 100
FILE = "slow-statements.jsonl"
MOST_BYTES = 256 * 1024
LONGEST = 500

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Slow:
    """A statement that took `took` ms and ended at `at` (ms)."""

    at: int
    took: int
    statement: str
    process: str


def init_app(app: Flask) -> None:
    """Watch the statements of this process."""
    file = app.extensions["settings"].data_dir / FILE
    with app.app_context():
        _watch(db.engine, file)


def _watch(engine: Engine, file: Path) -> None:
    @event.listens_for(engine, "before_cursor_execute")
    def _before(*given: Any) -> None:
        given[4]._began = clock.monotonic()

    @event.listens_for(engine, "after_cursor_execute")
    def _after(*given: Any) -> None:
        took = (clock.monotonic() - given[4]._began) * 1000
        if took >= SLOW_MS:
            text = " ".join(given[2].split())[:LONGEST]
            _write(file, Slow(clock.now(), round(took), text, _name()))


def _name() -> str:
    return Path(sys.argv[0]).name[:40]


def _write(file: Path, slow: Slow) -> None:
    """One line, appended at once; at the limit the file becomes the older half."""
    line = json.dumps([slow.at, slow.took, slow.statement, slow.process], ensure_ascii=False)
    try:
        with suppress(FileNotFoundError):
            if file.stat().st_size > MOST_BYTES:
                file.replace(file.with_suffix(".old"))
        with file.open("a", encoding="utf-8") as out:
            out.write(f"{line}\n")
    except OSError as problem:
        log.warning("a slow statement was not written down: %s", problem)


def recent(data_dir: Path, limit: int = 50) -> list[Slow]:
    """The last ones, the newest first."""
    file = data_dir / FILE
    lines: list[str] = []
    for part in (file.with_suffix(".old"), file):
        with suppress(OSError):
            lines += part.read_text(encoding="utf-8").splitlines()
    found: list[Slow] = []
    for line in reversed(lines[-limit:]):
        with suppress(ValueError, TypeError):
            found.append(Slow(*json.loads(line)))
    return found
