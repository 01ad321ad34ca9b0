"""What a page makes the browser load stays small: own CSS 12 KB, all JavaScript 20 KB (gzip)."""

from __future__ import annotations

import gzip
from pathlib import Path

STATIC = Path(__file__).parents[2] / "static"


def weight(*patterns: str) -> int:
    """Bytes of the files, each compressed as it travels."""
    files = [path for pattern in patterns for path in STATIC.glob(pattern)]
    assert files
    return sum(len(gzip.compress(path.read_bytes(), 9)) for path in files)


def test_own_css_fits() -> None:
    assert weight("css/*.css") <= 12 * 1024


def test_all_javascript_fits() -> None:
    assert weight("js/*.js", "vendor/*.js") <= 20 * 1024
