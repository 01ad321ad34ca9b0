"""Results on the disk: every run as JSON and Markdown, and the one kept for the document."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.processes import ROOT
from bench.results import machine
from chaos.figures import Figure
from chaos.table import markdown, put

FOLDER = Path(__file__).parent / "results"
KEPT = FOLDER / "kept.json"
DOCUMENT = ROOT / "docs" / "reliability.md"


def result(
    figures: dict[str, list[Figure]],
    faults: dict[str, str],
    command: str,
    seed: int,
    database: str,
) -> dict[str, Any]:
    """Everything about one run."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "command": command,
        "seed": seed,
        "database": database,
        "machine": machine(),
        "figures": [figure.as_json(row) for row, found in figures.items() for figure in found],
        "faults": faults,
    }


def save(found: dict[str, Any], keep: bool) -> Path:
    """Write the run down; `keep` makes it the one that the document shows."""
    FOLDER.mkdir(exist_ok=True)
    path = KEPT if keep else FOLDER / "last.json"
    path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    path.with_suffix(".md").write_text(markdown(found) + "\n", encoding="utf-8")
    if keep:
        DOCUMENT.write_text(put(DOCUMENT.read_text(encoding="utf-8"), found), encoding="utf-8")
    return path
