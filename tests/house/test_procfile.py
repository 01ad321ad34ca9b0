"""Reading Procfiles and scales."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.supervisor import child, procfile
from tests.house.running import ROOT


def test_the_hub_s_own_procfile_has_the_lines_of_the_customer() -> None:
    lines = procfile.read([ROOT / "Procfile"])
    expected = ["release", "web", "high", "default", "notifications", "low", "retry", "scheduler"]
    assert list(lines) == expected
    environ = {"PORT": "8000", "HUB_HOST": "127.0.0.1", "HUB_WEB_THREADS": "16"}
    for command in lines.values():
        assert procfile.words(command, environ)[0] == sys.executable


def test_words_fill_in_variables_and_keep_quotes() -> None:
    assert procfile.words("run 'two words' $PORT", {"PORT": "1 2"}) == ["run", "two words", "1 2"]


@pytest.mark.parametrize("command", ["run $MISSING", "run 'open"])
def test_words_refuse_what_cannot_be_read(command: str) -> None:
    with pytest.raises(procfile.ProcfileError):
        procfile.words(command, {})


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("", {"web": 1, "high": 1, "low": 1}),
        ("high=2, low=0", {"web": 1, "high": 2, "low": 0}),
        ("high=99", {"web": 1, "high": 8, "low": 1}),
    ],
)
def test_scale(text: str, counts: dict[str, int]) -> None:
    assert procfile.scale(text, ["web", "high", "low"]) == counts


@pytest.mark.parametrize("text", ["web=2", "none=1", "high", "high=-1", "high=x"])
def test_scale_refuses(text: str) -> None:
    with pytest.raises(procfile.ProcfileError):
        procfile.scale(text, ["web", "high"])


@pytest.mark.parametrize(
    ("content", "high"),
    [
        ('{"high": 3}', 3),
        ('{"high": 300}', 8),
        ('{"high": -1}', 0),
        ('{"high": true}', 2),
        ('{"high": "3"}', 2),
        ("[1]", 2),
        ("{", 2),
    ],
)
def test_rescale(tmp_path: Path, content: str, high: int) -> None:
    file = tmp_path / "scale.json"
    file.write_text(content)
    assert procfile.rescale(file, {"web": 1, "high": 2}) == {"web": 1, "high": high}


def test_rescale_never_touches_web(tmp_path: Path) -> None:
    (tmp_path / "scale.json").write_text('{"web": 4}')
    assert procfile.rescale(tmp_path / "scale.json", {"web": 1}) == {"web": 1}


@given(last=st.floats(0, 20), lived=st.floats(0, 100))
def test_a_pause_is_never_shorter_than_the_first_or_longer_than_the_longest(
    last: float, lived: float
) -> None:
    assert 0 < child.next_delay(last, lived) <= child.LONGEST_DELAY


def test_a_process_that_was_well_starts_again_quickly() -> None:
    assert child.next_delay(10.0, lived=3.0) == child.FIRST_DELAY
    assert child.next_delay(0.1, lived=2.9) == 0.2
