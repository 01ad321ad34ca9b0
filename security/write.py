"""`python -m security.write`: renew the tables of SECURITY.md."""

from __future__ import annotations

from pathlib import Path

from security import explained, threats

PAPER = Path(__file__).parents[1] / "SECURITY.md"


def main() -> None:
    """Put both tables in their places."""
    PAPER.write_text(explained.put(threats.put(PAPER.read_text())))


if __name__ == "__main__":
    main()
