"""Results on the disk: every run as JSON and Markdown, and the one kept for the document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.processes import ROOT
from bench.results import machine
from chaos.table import markdown, put

FOLDER = Path(__file__).parent / "results"
KEPT = FOLDER / "kept.json"
DOCUMENT = ROOT / "docs" / "reliability.md"


def result(
    rows: Mapping[str, Mapping[str, Any]], command: str, seed: int, database: str
) -> dict[str, Any]:
    """Everything about one run, from the figures and the fault of each row."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "command": command,
        "seed": seed,
        "database": database,
        "machine": machine(),
        "figures": [figure for found in rows.values() for figure in found["figures"]],
        "faults": {name: found["fault"] for name, found in rows.items() if found["fault"]},
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
