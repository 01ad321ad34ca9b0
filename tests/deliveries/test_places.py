"""Places in flight: as many as the process may open files, in fair shares."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.deliveries.rules.places import OTHER_FILES, places, shared, width


@pytest.mark.parametrize(
    ("files", "expected"),
    [(65_536, 65_280), (1_024, 768), (512, 256), (300, 150), (10, 5), (1, 1), (0, 1)],
)
def test_some_files_are_left_for_other_things(files: int, expected: int) -> None:
    assert places(files) == expected


@pytest.mark.parametrize(
    ("limit", "places", "expected"),
    [(1_024, 65_280, 1_024), (1_024, 768, 384), (5, 8, 4), (9, 1, 1)],
)
def test_one_system_never_takes_more_than_half(limit: int, places: int, expected: int) -> None:
    assert width(limit, places) == expected


def test_with_room_for_all_everybody_gets_what_is_free() -> None:
    assert shared({"crm": 1_024, "operacao": 300}, 1_324) == {"crm": 1_024, "operacao": 300}


def test_few_places_are_shared() -> None:
    assert shared({"crm": 1_024, "operacao": 3}, 100) == {"crm": 50, "operacao": 3}


def test_without_a_place_nobody_starts() -> None:
    assert shared({"crm": 5}, 0) == {}
    assert shared({}, 0) == {}


@given(st.dictionaries(st.text(), st.integers(1, 2_000)), st.integers(-5, 5_000))
def test_shares_are_never_too_large(room: dict[str, int], spare: int) -> None:
    given_ = shared(room, spare)
    assert all(0 < given_[name] <= room[name] for name in given_)
    # With fewer places than systems each may have one: such files are kept free.
    assert sum(given_.values()) <= max(spare, len(room) if spare > 0 else 0)
    assert OTHER_FILES > 100
