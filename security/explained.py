"""Findings that were looked into and are no fault; SECURITY.md says why for each."""

from __future__ import annotations

import re

# (scanner, pattern of the finding, name of the paragraph in SECURITY.md)
EXPLAINED: tuple[tuple[str, str, str], ...] = ()


def unexplained(scanner: str, findings: list[str]) -> list[str]:
    """What is left to mend or to explain."""
    known = [pattern for name, pattern, _ in EXPLAINED if name == scanner]
    return [text for text in findings if not any(re.search(each, text) for each in known)]
