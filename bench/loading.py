"""Run the load generator in a process of its own and read what it found."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.processes import ROOT


@dataclass(frozen=True, slots=True)
class Load:
    """Requests per second that were taken, and how long each took (ms)."""

    per_second: float
    milliseconds: list[float]


class Refused(Exception):
    """The server refused requests: what was measured would not be the work."""


def load(
    port: int,
    path: str,
    body: str,
    headers: Mapping[str, str],
    *,
    seconds: float,
    connections: int = 32,
) -> Load:
    """POST the body as fast as the answers come."""
    order: dict[str, Any] = {
        "port": port, "path": path, "body": body, "headers": dict(headers), "seconds": seconds,
        "connections": connections,
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "bench.load"], input=json.dumps(order), cwd=ROOT, text=True,
        stdout=subprocess.PIPE, check=True, timeout=seconds + 30,
    )  # fmt: skip
    found = json.loads(done.stdout)
    if found["refused"] or not found["milliseconds"]:
        raise Refused(f"{path}: {found['refused']} requests refused: {found['last_refusal']!r}")
    return Load(found["per_second"], found["milliseconds"])
