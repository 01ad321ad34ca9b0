"""The token file keeps WCAG 2.2 AA in both themes: 4.5:1 for text, 3:1 for shapes and edges."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TOKENS = (Path(__file__).parents[2] / "static" / "css" / "tokens.css").read_text()
PAIR = re.compile(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)")
COLOURS = {name: {"light": light, "dark": dark} for name, light, dark in PAIR.findall(TOKENS)}
SURFACES = ("page", "surface", "sunken")
TONES = ("ok", "warn", "bad", "info", "off")

TEXT = [
    *((ink, ground) for ink in ("text", "muted", "link", *TONES) for ground in SURFACES),
    *((tone, f"{tone}-soft") for tone in TONES),
    *(("text", f"{tone}-soft") for tone in TONES),
    *(("link", f"{tone}-soft") for tone in TONES),
    ("link", "brand-soft"),
    ("text", "brand-soft"),
    ("muted", "brand-soft"),
    ("on-primary", "primary"),
    ("on-primary", "primary-hover"),
    ("on-danger", "danger"),
    ("on-danger", "danger-hover"),
    ("page", "text"),
]
SHAPES = [
    *((ink, ground) for ink in ("edge", "focus") for ground in SURFACES),
    *((f"{tone}-fill", "surface") for tone in ("ok", "warn", "bad", "info")),
]


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb (WCAG 2.2)."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), TEXT)
def test_text_can_be_read(ink: str, ground: str, theme: str) -> None:
    assert contrast(COLOURS[ink][theme], COLOURS[ground][theme]) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), SHAPES)
def test_shapes_can_be_seen(ink: str, ground: str, theme: str) -> None:
    assert contrast(COLOURS[ink][theme], COLOURS[ground][theme]) >= 3


def test_black_on_white_is_21() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
