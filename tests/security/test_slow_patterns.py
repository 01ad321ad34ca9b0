"""ReDoS: every pattern of ours answers at once, whatever text it is given."""

from __future__ import annotations

import importlib
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

import app
from app.access.rules.masking import mask_text
from app.deliveries.rules.cause import _EMAILS, _IDS, _QUOTED
from tests.house.running import ROOT

LENGTH = 1_000
ATTACKS = (
    "a" * LENGTH, "1" * LENGTH, " " * LENGTH, "." * LENGTH, "-" * LENGTH, "a." * (LENGTH // 2),
    "a@" * (LENGTH // 2), "a@b." * (LENGTH // 4), "(1" * (LENGTH // 2), "1 " * (LENGTH // 2),
    "1-" * (LENGTH // 2), "\"" * LENGTH, "{" * LENGTH, "%" * LENGTH, "\\" * LENGTH, "0x" * 500,
    "a" * LENGTH + "!", "1" * LENGTH + "x", "a.b" * 300 + "!", "+55 (11) " * 100, "é" * LENGTH,
    "<" * LENGTH, "a-" * 500, "\n" * LENGTH, "_" * LENGTH, ":" * LENGTH, "a:" * 500,
    "0123456789abcdef-" * 60, "x@" + "a" * LENGTH, "a" * LENGTH + "@", "." + "a." * 500 + "@",
)  # fmt: skip


def _patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    """Each pattern that a module of ours keeps."""
    for found in pkgutil.walk_packages(app.__path__, "app."):
        if ".migrations" in found.name or found.name.endswith(("__main__", "wsgi")):
            continue
        module = importlib.import_module(found.name)
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
                yield f"{found.name}.{name}", value


def _once(patterns: Iterator[tuple[str, re.Pattern[str]]]) -> dict[str, re.Pattern[str]]:
    """Without those that one module takes from another."""
    found: dict[re.Pattern[str], str] = {}
    for name, pattern in patterns:
        found.setdefault(pattern, name)
    return {name: pattern for pattern, name in found.items()}


PATTERNS = _once(_patterns())


def test_there_is_something_to_check() -> None:
    assert len(PATTERNS) > 25
    assert {_EMAILS, _IDS, _QUOTED} <= set(PATTERNS.values())


def test_every_pattern_ends() -> None:
    """In a process of its own with an alarm: a pattern that backtracks cannot be interrupted."""
    code = (
        "import faulthandler; faulthandler.dump_traceback_later(60, exit=True)\n"
        "from tests.security.test_slow_patterns import ATTACKS, PATTERNS\n"
        "for name, pattern in PATTERNS.items():\n"
        "    print(name, flush=True)\n"
        "    for text in ATTACKS:\n"
        "        pattern.search(text); pattern.fullmatch(text); pattern.sub('', text)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, f"stuck in {done.stdout.splitlines()[-1:]}\n{done.stderr[-2_000:]}"


@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=list(PATTERNS))
def test_no_pattern_repeats_a_repetition(pattern: re.Pattern[str]) -> None:
    """(x+)+ and its kin are never needed."""
    assert not re.search(r"\((?:\?:)?[^()|]*[+*]\)[+*]", pattern.pattern) or re.search(
        r"\(\\?\.[^()]*\+\)\+", pattern.pattern
    )


def test_masking_a_page_of_digits_ends() -> None:
    for text in ATTACKS:
        assert len(mask_text(text * 5)) > 0
