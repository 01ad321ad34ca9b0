"""The table of the bench: made from a result, and the README shows the kept one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bench import results
from bench.figures import Figure, at_least
from bench.table import END, START, markdown, number, put


def result(**faults: str) -> dict[str, Any]:
    figures = {"deliveries": [Figure("deliveries", "/s", [1500, 1234, 2000], at_least(1500))]}
    return results.result(figures, faults, "python -m bench", "sqlite")


def test_a_line_tells_median_spread_and_goal() -> None:
    line = "| deliveries | **1,500** /s | 1,230 – 2,000 | ≥ 1,500 |  | first goal |"
    assert line in markdown(result()).splitlines()


def test_date_machine_and_command_stand_above() -> None:
    found = result()
    head = markdown(found).splitlines()[0]
    assert found["date"] in head
    assert "`python -m bench`" in head
    assert f"{found['machine']['cpus']} cores, Python {found['machine']['python']}" in head


def test_what_could_not_be_measured_is_said() -> None:
    assert "Not measured: pages (NotInTime)." in markdown(result(pages="NotInTime"))


def test_the_table_stands_between_the_markers_and_only_there() -> None:
    text = f"# Hub\n{START}\nold\n{END}\nmore\n"
    renewed = put(text, result())
    assert renewed == f"# Hub\n{START}\n{markdown(result())}\n{END}\nmore\n"
    assert put(renewed, result()) == renewed


@pytest.mark.parametrize("text", ["", START, END, f"{END}{START}"])
def test_without_markers_nothing_is_renewed(text: str) -> None:
    with pytest.raises(ValueError, match="missing"):
        put(text, result())


@pytest.mark.parametrize(
    ("value", "text"), [(12345.0, "12,345"), (99.5, "99.5"), (0.0123, "0.0123"), (3.0, "3")]
)
def test_numbers_are_short(value: float, text: str) -> None:
    assert number(value) == text


def test_the_readme_shows_the_kept_result_and_nothing_else() -> None:
    text = results.README.read_text(encoding="utf-8")
    if results.KEPT.exists():
        kept = json.loads(results.KEPT.read_text(encoding="utf-8"))
        assert put(text, kept) == text
    else:
        assert f"{START}\n{END}" in text
