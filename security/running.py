"""How a scanner is started, and what it hands back."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
BIN = ROOT / ".venv-security" / "bin"


@dataclass(frozen=True, slots=True)
class Report:
    """What a scanner said: its findings, and how much it looked at."""

    findings: list[str]
    looked_at: str


def run(words: list[str], seconds: float, folder: Path, **environ: str) -> str:
    """The output of a scanner; what it wrote so far where its time is over."""
    output = folder / "output"
    with output.open("w") as file:
        process = subprocess.Popen(
            words, cwd=folder, stdout=file, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            env={**os.environ, **environ},
        )  # fmt: skip
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return output.read_text(errors="replace")
