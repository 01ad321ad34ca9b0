"""Templates keep the strict CSP, use only icons that exist and never leave the host."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SYMBOLS = set(re.findall(r'symbol id="([\w-]+)"', (ROOT / "static" / "icons.svg").read_text()))
ICON = re.compile(r"""(?:\bicon\(|icon_name=|#)'([a-z0-9-]+)'""")

FORBIDDEN = {
    "inline style": re.compile(r"<style|\sstyle\s*=", re.IGNORECASE),
    "inline script": re.compile(r"<script(?![^>]*\ssrc=)", re.IGNORECASE),
    "inline handler": re.compile(r"\son[a-z]+\s*=\s*[\"']", re.IGNORECASE),
    "hx-on": re.compile(r"\shx-on", re.IGNORECASE),
    "script value": re.compile(r"hx-[a-z]+=[\"'](js:|javascript:)", re.IGNORECASE),
    "trigger filter": re.compile(r"hx-trigger=[\"'][^\"']*\[", re.IGNORECASE),
    "foreign host": re.compile(r"(?:src|href)=[\"'](?:https?:)?//", re.IGNORECASE),
}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
@pytest.mark.parametrize("fault", FORBIDDEN)
def test_template_is_free_of(path: Path, fault: str) -> None:
    assert not FORBIDDEN[fault].search(path.read_text())


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_icons_exist(path: Path) -> None:
    assert set(ICON.findall(path.read_text())) <= SYMBOLS


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_template_is_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 300
