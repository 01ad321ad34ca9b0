"""Whole numbers out of texts that people and programs write."""

from __future__ import annotations

# As many digits as fit into every integer column, whichever they are.
LONGEST = 18


def whole(text: str, longest: int = LONGEST) -> int | None:
    """The number that at most `longest` digits 0 to 9 make; None for every other text.

    `isdigit` alone lets ² pass, which is no number, and `isdecimal` ٣, which no form of ours sends.
    """
    if len(text) > longest or not text.isascii() or not text.isdigit():
        return None
    return int(text)
