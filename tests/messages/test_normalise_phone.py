"""Phones: every way of writing one gives the same digits, and only phones give any."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.messages.rules.phones import normalise

SAME = "5511987654321"
WRITTEN = [
    "11987654321", "(11) 98765-4321", "+55 11 98765-4321", "5511987654321", "55 11 98765 4321",
    "011 98765-4321", "1187654321", "(11) 8765-4321", "551187654321", "+55 (11) 8765.4321",
]  # fmt: skip
AREAS = ("11", "21", "31", "41", "48", "51", "61", "71", "81", "85", "92")


@pytest.mark.parametrize("text", WRITTEN)
def test_every_way_of_writing_gives_the_same(text: str) -> None:
    assert normalise(text) == SAME


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("(11) 3456-7890", "551134567890"),  # a land line has no ninth digit
        ("+1 212 555 2368", "12125552368"),
        ("+351 912 345 678", "351912345678"),
        ("351912345678", "351912345678"),
    ],
)
def test_land_lines_and_other_countries(text: str, digits: str) -> None:
    assert normalise(text) == digits


@pytest.mark.parametrize("text", ["", "abc", "123", "0000000000", "+", "5511", "1" * 60, "９９"])
def test_what_is_no_phone_gives_nothing(text: str) -> None:
    assert normalise(text) == ""


@given(st.text(max_size=60))
def test_any_text_gives_digits_or_nothing_and_stays_so(text: str) -> None:
    found = normalise(text)
    assert found == "" or (found.isascii() and found.isdigit() and 7 <= len(found) <= 15)
    assert found == "" or normalise(found) == found


@given(st.sampled_from(AREAS), st.integers(60_000_000, 99_999_999))
def test_a_mobile_with_and_without_the_ninth_digit_is_one(area: str, number: int) -> None:
    old, new = normalise(f"{area}{number}"), normalise(f"+55{area}9{number}")
    assert old == new
    assert new == "" or new == f"55{area}9{number}"
