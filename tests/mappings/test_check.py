"""Checking a mapping document: each refusal names its field."""

from typing import Any

import pytest
from hypothesis import given

from app.mappings.rules import check
from app.mappings.rules.grammar import MAX_BYTES, MAX_DEPTH
from tests.mappings.cases import documents, payloads


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def test_a_document_with_every_type_is_accepted() -> None:
    document = {
        "short": "a.b.0.c",
        "direct": {"type": "direct", "source": "a", "default": {"x": 1}},
        "concat": {"type": "concat", "sources": ["a", "b"], "separator": ", "},
        "map": {"type": "map", "source": "a", "map": {"x": 1}, "default": None},
        "date": {"type": "date", "source": "a", "format": "Y-m-d"},
        "number": {"type": "number", "source": "a", "number_type": "int", "default": 0},
        "boolean": {"type": "boolean", "source": "a"},
        "list": {"type": "array", "sources": ["a", "b"]},
        "object": {"type": "array", "sources": {"x": "a", "y": "b"}},
        "static": {"type": "static", "value": None},
    }
    assert check(document) == []


@pytest.mark.parametrize("document", [None, 1, "name", ["a"], {}, True])
def test_what_is_no_filled_object_is_refused(document: object) -> None:
    assert [problem.field for problem in check(document)] == ["mapping"]


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        (None, "out"),
        (5, "out"),
        (["a"], "out"),
        ("", "out"),
        ("a..b", "out"),
        (".a", "out"),
        ("a.", "out"),
        ("x" * 201, "out"),
        (".".join("abcdefghijklmnopq"), "out"),
        ({}, "out.type"),
        ({"source": "a"}, "out.type"),
        ({"type": "eval", "source": "a"}, "out.type"),
        ({"type": ["direct"], "source": "a"}, "out.type"),
        ({"type": "direct"}, "out.source"),
        ({"type": "direct", "source": 3}, "out.source"),
        ({"type": "direct", "source": "a", "sauce": "b"}, "out.sauce"),
        ({"type": "concat"}, "out.sources"),
        ({"type": "concat", "sources": "a"}, "out.sources"),
        ({"type": "concat", "sources": []}, "out.sources"),
        ({"type": "concat", "sources": {"a": "b"}}, "out.sources"),
        ({"type": "concat", "sources": ["a", ""]}, "out.sources.1"),
        ({"type": "concat", "sources": ["a"], "separator": 1}, "out.separator"),
        ({"type": "map", "source": "a"}, "out.map"),
        ({"type": "map", "source": "a", "map": []}, "out.map"),
        ({"type": "map", "source": "a", "map": {}}, "out.map"),
        ({"type": "date", "source": "a", "format": ""}, "out.format"),
        ({"type": "date", "source": "a", "format": None}, "out.format"),
        ({"type": "date", "source": "a", "format": "%Y-%Q"}, "out.format"),
        ({"type": "date", "source": "a", "format": "100%"}, "out.format"),
        ({"type": "number", "source": "a", "number_type": "real"}, "out.number_type"),
        ({"type": "number", "source": "a", "number_type": ["int"]}, "out.number_type"),
        ({"type": "number", "source": "a", "default": "0"}, "out.default"),
        ({"type": "number", "source": "a", "default": True}, "out.default"),
        ({"type": "boolean", "source": "a", "default": 1}, "out.default"),
        ({"type": "array", "sources": {}}, "out.sources"),
        ({"type": "array", "sources": {"x": ["a"]}}, "out.sources.x"),
        ({"type": "static"}, "out.value"),
        ({"type": "static", "value": 1, "source": "a"}, "out.source"),
    ],
)
def test_a_broken_rule_is_refused_by_its_field(rule: object, field: str) -> None:
    assert [problem.field for problem in check({"fine": "a", "out": rule})] == [field]


@pytest.mark.parametrize("target", ["", "  ", "x" * 101, "_meta"])
def test_a_target_that_cannot_be_delivered_is_refused(target: str) -> None:
    assert len(check({target: "name"})) == 1


def test_every_problem_is_told_at_once() -> None:
    document = {"a": "", "b": {"type": "nope"}, "c": {"type": "map"}, "d": "fine"}
    assert [problem.field for problem in check(document)] == ["a", "b.type", "c.source", "c.map"]


@pytest.mark.parametrize(
    "document",
    [
        {f"k{number}": "a" for number in range(201)},
        {"a": {"type": "static", "value": "x" * MAX_BYTES}},
        {"a": {"type": "static", "value": nested(MAX_DEPTH)}},
        {"a": {"type": "static", "value": nested(100_000)}},
        {"a": {"type": "static", "value": float("nan")}},
        {"a": {"type": "static", "value": float("inf")}},
        {"a": {"type": "static", "value": "\ud800"}},
        {"\udfff": "a"},
    ],
)
def test_what_is_too_large_too_deep_or_no_json_is_refused(document: object) -> None:
    assert [problem.field for problem in check(document)] == ["mapping"]


@given(document=documents)
def test_every_document_of_the_grammar_is_accepted(document: object) -> None:
    assert check(document) == []


@given(document=payloads)
def test_anything_can_be_checked(document: object) -> None:
    for problem in check(document):
        assert problem.field
        assert problem.message
