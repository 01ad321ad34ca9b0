"""Results on the disk: every run as JSON and Markdown, and the one that is kept for the README."""

from __future__ import annotations

import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.figures import Figure
from bench.table import END, START, markdown, put

FOLDER = Path(__file__).parent / "results"
KEPT = FOLDER / "kept.json"
README = Path(__file__).parents[1] / "README.md"


def machine() -> dict[str, Any]:
    """What the figures depend on."""
    return {
        "cpus": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "system": platform.system(),
        "architecture": platform.machine(),
    }


def result(
    figures: dict[str, list[Figure]], faults: dict[str, str], command: str, database: str
) -> dict[str, Any]:
    """Everything about one run."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "command": command,
        "database": database,
        "machine": machine(),
        "figures": [figure.as_json(row) for row, found in figures.items() for figure in found],
        "faults": faults,
    }


def save(found: dict[str, Any], keep: bool) -> Path:
    """Write the run down; `keep` makes it the one that the README shows."""
    FOLDER.mkdir(exist_ok=True)
    path = KEPT if keep else FOLDER / "last.json"
    path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    path.with_suffix(".md").write_text(markdown(found) + "\n", encoding="utf-8")
    if keep:
        renew_readme(found)
    return path


def renew_readme(found: dict[str, Any]) -> bool:
    """Put the table into the README where its markers stand; whether they do."""
    if not README.exists():
        return False
    text = README.read_text(encoding="utf-8")
    if START not in text or END not in text:
        return False
    README.write_text(put(text, found), encoding="utf-8")
    return True
