"""What changed between two versions."""

import pytest
from hypothesis import given

from app.mappings.rules import compare
from tests.mappings.cases import documents


def test_added_removed_and_changed_targets_are_told_apart() -> None:
    old = {"same": "a", "gone": "b", "other": "c"}
    new = {"same": "a", "other": {"type": "number", "source": "c"}, "fresh": "d"}
    assert compare(old, new).as_data() == {
        "added": {"fresh": "d"},
        "removed": {"gone": "b"},
        "changed": {"other": {"from": "c", "to": {"type": "number", "source": "c"}}},
    }


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"a": "x", "b": "y"}, {"b": "y", "a": "x"}),
        ({"a": "x"}, {"a": {"source": "x", "type": "direct"}}),
    ],
)
def test_another_way_to_write_the_same_is_no_change(
    old: dict[str, object], new: dict[str, object]
) -> None:
    assert compare(old, new).is_empty


@pytest.mark.parametrize(("old", "new"), [(1, True), (1, 1.0), (0, False), ("1", 1), (None, False)])
def test_values_that_differ_only_in_json_are_a_change(old: object, new: object) -> None:
    changed = compare(
        {"a": {"type": "static", "value": old}}, {"a": {"type": "static", "value": new}}
    )
    assert list(changed.changed) == ["a"]


@given(old=documents, new=documents)
def test_the_difference_leads_from_old_to_new(
    old: dict[str, object], new: dict[str, object]
) -> None:
    found = compare(old, new)
    rebuilt = {key: rule for key, rule in old.items() if key not in found.removed}
    rebuilt |= found.added | {key: after for key, (_, after) in found.changed.items()}
    assert compare(rebuilt, new).is_empty
    assert compare(old, old).is_empty
