"""Write `.env.example` from the settings class, so that it never tells an old story.

Usage: python -m scripts.settings          writes .env.example
       python -m scripts.settings --table  prints the README's table
"""

from __future__ import annotations

import sys
from pathlib import Path

from app.config import reference

EXAMPLE = Path(__file__).parents[1] / ".env.example"
HEAD = "# Copy to .env and change what differs; a variable left out keeps the value shown.\n"


def example() -> str:
    """The whole `.env.example`: every variable with its default, commented out, and its reason."""
    return HEAD + "".join(f"\n# {why}\n#{name}={default}\n" for name, default, why in reference())


def table() -> str:
    """The same as a Markdown table."""
    rows = (f"| `{name}` | `{default}` | {why} |" for name, default, why in reference())
    lines = ["| Variable | Default | What for |", "|---|---|---|", *rows]
    return "\n".join(line.replace("| `` |", "| |") for line in lines)


if __name__ == "__main__":
    if sys.argv[1:] == ["--table"]:
        print(table())
    else:
        EXAMPLE.write_text(example(), encoding="utf-8")
