"""How a Chromium is started here."""

from __future__ import annotations

import os
import shutil
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def launch_arguments() -> dict[str, Any]:
    """The Chromium of the machine where there is one, else Playwright's own."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    sandbox = ("--no-sandbox",) if os.geteuid() == 0 else ()
    return {"executable_path": found, "args": [*FLAGS, *sandbox]}
