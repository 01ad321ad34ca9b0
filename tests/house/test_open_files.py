"""What a process takes of the machine, asked of processes that were started with little."""

from __future__ import annotations

import resource
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from app import open_files

ASK = "from app import open_files as f; print(f.allowed(), f.raise_limit())"


@pytest.mark.parametrize(
    ("soft", "hard", "expected"), [(256, 900, "256 900"), (900, 900, "900 900"), (64, 64, "64 64")]
)
def test_as_many_files_as_are_allowed(soft: int, hard: int, expected: str) -> None:
    lower = partial(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
    said = subprocess.run(
        [sys.executable, "-c", ASK], preexec_fn=lower, capture_output=True, check=True, text=True
    )
    assert said.stdout.strip() == expected


def test_no_more_than_is_ever_needed() -> None:
    assert open_files.raise_limit() <= open_files.MOST


def test_what_is_open_is_not_free(tmp_path: Path) -> None:
    before = open_files.free()
    with (tmp_path / "file").open("w"):
        assert open_files.free() == before - 1
    assert before < open_files.allowed()
