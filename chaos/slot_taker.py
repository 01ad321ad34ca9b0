"""One of two takers of slots: `python -m chaos.slot_taker '{"book": …}'`.

It says that it is ready, waits for the moment of the first slot, and goes on to the last one.
Slot n falls due `n · every` seconds after the first; whoever gets it writes a line into the book.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app import create_app, slots

PAUSE = 0.02
LONGEST = 120.0


def take_all(order: Mapping[str, Any]) -> None:
    """Ask for every slot whose time has come, once, as the minute's job does."""
    book = Path(order["book"])
    note(book.with_suffix(".ready"), pid=os.getpid())
    end = time.time() + LONGEST
    while not (first := moment(book)) and time.time() < end:
        time.sleep(PAUSE)
    asked = 0
    while asked < order["count"] and time.time() < end:
        at = round((first + asked * order["every"]) * 1000)
        now = time.time_ns() // 1_000_000
        if at > now:
            time.sleep(PAUSE)
            continue
        asked += 1
        if slots.take("chaos", at, now):
            slots.done("chaos", at, now)
            note(book, slot=at, at=now, pid=os.getpid())


def moment(book: Path) -> float:
    """When the first slot falls due; 0 while that is not said."""
    try:
        return float(book.with_suffix(".start").read_text())
    except (OSError, ValueError):
        return 0.0


def note(book: Path, **line: int) -> None:
    """One line, written at once."""
    with book.open("a", encoding="utf-8") as out:
        out.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    with create_app().app_context():
        take_all(json.loads(sys.argv[1]))
