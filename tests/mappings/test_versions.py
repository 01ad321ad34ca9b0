"""The order of versions."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.mappings.rules import FIRST_VERSION, Version, parse_version

versions = st.builds(Version, *[st.integers(min_value=0, max_value=999_999_999)] * 3)


def test_ten_comes_after_nine() -> None:
    texts = ["1.0.10", "1.0.9", "2.0.0", "1.10.0", "1.9.9"]
    ordered = sorted(version for text in texts if (version := parse_version(text)))
    assert [str(version) for version in ordered] == ["1.0.9", "1.0.10", "1.9.9", "1.10.0", "2.0.0"]


def test_a_save_raises_the_patch() -> None:
    assert str(FIRST_VERSION) == "1.0.0"
    assert str(Version(1, 0, 9).next_patch()) == "1.0.10"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "1.0",
        "1.0.0.0",
        "v1.0.0",
        "1.0.x",
        "1.0.-1",
        "01.0.0",
        "1.0.0\n",
        "1.0.²",
        "9" * 99,
    ],
)
def test_what_is_no_version_is_refused(text: str) -> None:
    assert parse_version(text) is None


@given(versions)
def test_text_and_version_are_one(version: Version) -> None:
    assert parse_version(str(version)) == version


@given(st.lists(versions, min_size=2))
def test_the_order_is_total(some: list[Version]) -> None:
    ordered = sorted(some)
    assert all(first <= second for first, second in pairwise(ordered))
    assert ordered == sorted([*some[1:], some[0]])
    for first, second in pairwise(some):
        assert (first < second) + (first == second) + (first > second) == 1
        assert (first < second) == (
            (first.major, first.minor, first.patch) < (second.major, second.minor, second.patch)
        )
    assert all(version < version.next_patch() for version in some)
