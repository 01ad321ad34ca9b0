"""The backups of the configuration that lie in the data folder."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.errors import NotFound

FOLDER = "backups"
NAME = re.compile(r"^config-(\d{13})\.json$")


@dataclass(frozen=True, slots=True)
class Backup:
    """A file of the folder; `at` (ms) stands in its name."""

    name: str
    at: int
    size: int


def list_backups(data_dir: Path) -> list[Backup]:
    """All of them, the newest first."""
    folder = data_dir / FOLDER
    if not folder.is_dir():
        return []
    found = [
        Backup(path.name, int(match[1]), path.stat().st_size)
        for path in folder.iterdir()
        if (match := NAME.match(path.name))
    ]
    return sorted(found, key=lambda backup: -backup.at)


def read_backup(data_dir: Path, name: str) -> tuple[bytes, dict[str, Any]]:
    """A backup as it lies there, and its content; NotFound."""
    if not NAME.match(name):
        raise NotFound("Backup não encontrado")
    try:
        raw = (data_dir / FOLDER / name).read_bytes()
        content = json.loads(raw)
    except (OSError, ValueError):
        raise NotFound("Backup não encontrado ou ilegível") from None
    return raw, content if isinstance(content, dict) else {}
