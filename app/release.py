"""Which release of the hub this is: its version, and the commit where that is known."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGE = "carinho-hub"
ROOT = Path(__file__).parent.parent
COMMIT = re.compile(r"[0-9a-f]{7,64}")


def release(commit: str = "", root: Path = ROOT) -> str:
    """`0.1.0 (1a2b3c4d5e)`; the commit given, else that of a working copy, else none."""
    found = commit or _checked_out(root / ".git")
    short = f" ({found[:10]})" if COMMIT.fullmatch(found) else ""
    return f"{_version()}{short}"


def _version() -> str:
    try:
        return version(PACKAGE)
    except PackageNotFoundError:
        return "?"


def _checked_out(git: Path) -> str:
    """The commit of a working copy; '' where there is none."""
    try:
        head = (git / "HEAD").read_text(encoding="utf-8").strip()
        name = head.removeprefix("ref: ")
        if name == head:
            return head
        if (git / name).is_file():
            return (git / name).read_text(encoding="utf-8").strip()
        packed = (git / "packed-refs").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return ""
    return next((line.split()[0] for line in packed if line.endswith(f" {name}")), "")
