"""The comparison of two bodies: it reads like a diff, and never costs more than both are long."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.deliveries.rules import comparison
from app.deliveries.rules.comparison import MOST_CHANGES, MOST_COMPARED, MOST_LINES, compare

OLD = {"lead_id": 7, "nome": "Ana", "tags": ["a", "b"], "at": {"zip": "1", "x": {}}, "_meta": 1}
NEW = {"lead_id": "7", "name": "Ana", "tags": ["a"], "at": {"zip": "2", "x": {}}, "_meta": 1}
SHOWN = """\
  {
-   "lead_id": 7,
+   "lead_id": "7",
-   "nome": "Ana",
+   "name": "Ana",
    "tags": [
      "a",
-     "b"
    ],
    "at": {
-     "zip": "1",
+     "zip": "2",
      "x": {}
    },
    "_meta": 1
  }"""


def lines(old: Any, new: Any, whole: bool = True) -> list[tuple[str, str]]:
    return compare(json.dumps(old).encode(), json.dumps(new).encode(), whole)


def changes(old: Any, new: Any) -> list[str]:
    return [f"{sign} {text.strip()}" for sign, text in lines(old, new) if sign != " "]


def test_it_reads_like_a_diff() -> None:
    assert "\n".join(f"{sign} {text}" for sign, text in lines(OLD, NEW)) == SHOWN


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, []),
        ({"a": 1}, {"a": True}, ['- "a": 1', '+ "a": true']),
        ({"a": 1}, {"a": 1.0}, ['- "a": 1', '+ "a": 1.0']),
        ({"a": None}, {}, ['- "a": null']),
        ({"a": {}}, {"a": []}, ['- "a": {}', '+ "a": []']),
        ({"a": {"b": 1}}, {"a": 2}, ['- "a": {', '- "b": 1', "- }", '+ "a": 2']),
        ({}, {"a": [1]}, ['+ "a": [', "+ 1", "+ ]"]),
        ([1], {"a": 1}, ["- [", "- 1", "- ]", "+ {", '+ "a": 1', "+ }"]),
        ({"b": 1}, {"a": 0, "b": 1, "c": 2}, ['+ "a": 0,', '+ "c": 2']),
    ],
)
def test_it_tells_what_differs(old: Any, new: Any, said: list[str]) -> None:
    assert changes(old, new) == said


def test_personal_data_is_masked_by_its_key() -> None:
    old, new = {"name": ["Ana", "Bia"]}, {"name": ["Ana", "Clara"]}
    text = str(lines(old, new, whole=False))
    assert "A***" in text
    assert not any(name in text for name in ("Ana", "Bia", "Clara"))


def test_what_is_no_json_is_a_text() -> None:
    assert compare(b"", b"\xff", True) == [("-", '""'), ("+", '"\N{REPLACEMENT CHARACTER}"')]


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What was compared, one entry for each place looked at."""
    seen: list[object] = []
    walk = comparison._Walk.compare

    def counted(self: Any, old: Any, new: Any, at: Any) -> None:
        seen.append(at)
        walk(self, old, new, at)

    monkeypatch.setattr(comparison._Walk, "compare", counted)
    return seen


@pytest.mark.parametrize("many", [400, 5_000])
def test_many_similar_texts_are_looked_at_once_each(compared: list[object], many: int) -> None:
    old, new = ({"l": [f"visita {word} {n}" for n in range(many)]} for word in ("à", "á"))
    told = lines(old, new)
    assert len(compared) == 2 + 3 * many
    assert told[:2] == [("-", 'l.0: "visita à 0"'), ("+", 'l.0: "visita á 0"')]
    assert told[-1] == ("…", f"e mais {2 * many - MOST_CHANGES} linhas diferentes")
    assert len(told) == MOST_CHANGES + 1


def test_a_long_body_with_one_change_says_just_that() -> None:
    old = [{"id": n, "name": "Ana"} for n in range(MOST_LINES)]
    assert lines(old, [*old[:-1], {"id": -1, "name": "Ana"}]) == [
        ("-", f"{MOST_LINES - 1}.id: {MOST_LINES - 1}"),
        ("+", f"{MOST_LINES - 1}.id: -1"),
    ]


@pytest.mark.parametrize("inner", [[], 1, {"a": {}}])
def test_what_is_longer_than_any_body_is_not_gone_through(
    compared: list[object], inner: object
) -> None:
    many = [inner] * (2 * MOST_COMPARED)
    (told,) = lines([many, 1], [many, 2])
    assert told == ("…", f"só os primeiros {MOST_COMPARED} valores foram comparados")
    assert len(compared) <= 2 * MOST_COMPARED + 2


def test_a_long_text_only_begins() -> None:
    told = lines({"a": "x" * 900_000}, {"a": "y" * 900_000})
    assert sum(len(text) for _, text in told) < 10_000
