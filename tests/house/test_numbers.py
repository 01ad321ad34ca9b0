"""Only digits 0 to 9 make a number, and only so many of them."""

from __future__ import annotations

import pytest

from app.numbers import whole


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), ("7", 7), ("007", 7), ("9" * 18, 10**18 - 1)],
)
def test_a_number(text: str, number: int) -> None:
    assert whole(text) == number


@pytest.mark.parametrize(
    "text", ["", " 1", "1 ", "+1", "-1", "1.0", "1e3", "1_0", "²", "٣", "１", "½", "x", "9" * 19,
             "9" * 5_000],
)  # fmt: skip
def test_no_number(text: str) -> None:
    assert whole(text) is None


def test_a_shorter_limit() -> None:
    assert (whole("999", 3), whole("1000", 3)) == (999, None)
