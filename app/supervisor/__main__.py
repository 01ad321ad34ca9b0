"""`python -m app.supervisor [PROCFILE…]`: run the hub until Ctrl-C."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from app import config, open_files
from app.supervisor import premises, procfile
from app.supervisor.house import House


async def _run(procfiles: list[str]) -> None:
    # What is started here inherits it.
    open_files.raise_limit()
    await House(config.load(), procfile.read(map(Path, procfiles))).run()


def main() -> None:
    """Start, or say in one line why not."""
    try:
        asyncio.run(_run(sys.argv[1:] or ["Procfile"]))
    except (config.SettingsError, procfile.ProcfileError, premises.CannotStart, OSError) as problem:
        sys.exit(f"The hub cannot start: {problem}")


if __name__ == "__main__":
    main()
