"""Applying a mapping: what each rule gives, and that no payload can break it."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given

from app.mappings.rules import MappingError, apply, check
from tests.mappings.cases import documents, near_documents, payloads

LEAD = {
    "id": 7,
    "name": "Maria",
    "empty": "",
    "nothing": None,
    "zero": 0,
    "yes": True,
    "no": False,
    "address": {"street": "Rua A", "number": 0, "lines": ["x", {"zip": "01000-000"}]},
    "items": [{"id": 1, "tags": ["a", "b"]}, {"id": 2, "tags": ["c"]}, "odd"],
    "by_day": {"seg": {"hours": 4}, "ter": {"hours": 6}},
}


def test_it_maps_a_whole_document() -> None:
    document = {
        "lead_name": "name",
        "campaign": {
            "type": "array",
            "sources": {"source": "utm_source", "street": "address.street"},
        },
        "origin": {"type": "static", "value": "hub"},
    }
    assert apply(document, LEAD) == {
        "lead_name": "Maria",
        "campaign": {"source": None, "street": "Rua A"},
        "origin": "hub",
    }


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("name", "Maria"),
        ("missing", None),
        ("nothing", None),
        ("address.street", "Rua A"),
        ("address.number", 0),
        ("address.lines.0", "x"),
        ("address.lines.1.zip", "01000-000"),
        ("address.lines.2", None),
        ("address.lines.-1", None),
        ("address.lines.01", None),
        ("address.lines.²", None),
        ("address.lines.99999999999999999999", None),
        ("name.0", None),
        ("name.first", None),
        ("nothing.deeper", None),
        ("items.*.id", [1, 2, None]),
        ("items.*.tags.*", ["a", "b", "c"]),
        ("by_day.*.hours", [4, 6]),
        ("name.*", None),
        ("missing.*.id", None),
    ],
)
def test_a_path_reaches_into_objects_and_lists(path: str, value: object) -> None:
    assert apply({"out": path}, LEAD) == {"out": value}


@pytest.mark.parametrize("payload", [None, True, 3, 1.5, "text", [], [1], {}])
def test_a_payload_of_any_shape_is_read(payload: object) -> None:
    assert apply({"out": "name"}, payload) == {"out": None}


def test_a_payload_that_is_a_list_is_read_by_index() -> None:
    assert apply({"out": "1.id"}, [{"id": 1}, {"id": 2}]) == {"out": 2}


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        ({"type": "direct", "source": "name"}, "Maria"),
        ({"type": "direct", "source": "missing", "default": "x"}, "x"),
        ({"type": "direct", "source": "nothing", "default": "x"}, "x"),
        ({"type": "direct", "source": "no", "default": "x"}, False),
        ({"type": "direct", "source": "empty", "default": "x"}, ""),
        ({"type": "concat", "sources": ["name", "id"]}, "Maria 7"),
        ({"type": "concat", "sources": ["name", "empty", "nothing", "missing", "id"]}, "Maria 7"),
        ({"type": "concat", "sources": ["name", "id"], "separator": ""}, "Maria7"),
        ({"type": "concat", "sources": ["zero", "yes", "no"], "separator": "-"}, "0-1"),
        ({"type": "concat", "sources": ["address", "items", "name"]}, "Maria"),
        ({"type": "concat", "sources": ["missing", "nothing"]}, None),
        ({"type": "concat", "sources": ["missing", "empty"]}, ""),
        ({"type": "map", "source": "name", "map": {"Maria": "M"}}, "M"),
        ({"type": "map", "source": "name", "map": {"Ana": "A"}}, "Maria"),
        ({"type": "map", "source": "name", "map": {"Ana": "A"}, "default": "?"}, "?"),
        ({"type": "map", "source": "name", "map": {"Ana": "A"}, "default": None}, None),
        ({"type": "map", "source": "id", "map": {"7": "seven"}}, "seven"),
        ({"type": "map", "source": "yes", "map": {"1": "S"}}, "S"),
        ({"type": "map", "source": "yes", "map": {"true": "S"}}, "S"),
        ({"type": "map", "source": "no", "map": {"0": "N"}}, "N"),
        ({"type": "map", "source": "missing", "map": {"a": 1}}, None),
        ({"type": "map", "source": "missing", "map": {"a": 1}, "default": 2}, 2),
        ({"type": "map", "source": "address", "map": {"a": 1}, "default": 2}, 2),
        ({"type": "array", "sources": ["id", "missing"]}, [7, None]),
        ({"type": "array", "sources": {"a": "id", "b": "missing"}}, {"a": 7, "b": None}),
        ({"type": "static", "value": {"a": [1]}}, {"a": [1]}),
        ({"type": "static", "value": None}, None),
    ],
)
def test_a_rule_gives_its_value(rule: dict[str, Any], value: object) -> None:
    assert check({"out": rule}) == []
    assert apply({"out": rule}, LEAD) == {"out": value}


@pytest.mark.parametrize(
    ("value", "whole", "decimal"),
    [
        (12, 12, 12.0),
        (12.9, 12, 12.9),
        (-12.9, -12, -12.9),
        ("12", 12, 12.0),
        (" 12.50 ", 12, 12.5),
        ("-3", -3, -3.0),
        (".5", 0, 0.5),
        ("1e3", 1000, 1000.0),
        ("9007199254740993", 9007199254740993, 9007199254740992.0),
        (True, 1, 1.0),
        (False, 0, 0.0),
        (None, None, None),
        ("", None, None),
        ("abc", None, None),
        ("12abc", None, None),
        ("1.234,56", None, None),
        ("1_000", None, None),
        ("١٢", None, None),
        ("NaN", None, None),
        ("Infinity", None, None),
        ("1e999", None, None),
        (float("nan"), None, None),
        (float("inf"), None, None),
        (10**400, 10**400, None),
        ([1], None, None),
        ({"a": 1}, None, None),
    ],
)
def test_a_number_is_read_or_left_out(value: object, whole: object, decimal: object) -> None:
    rule = {"type": "number", "source": "v"}
    document = {
        "float": rule,
        "float_too": {**rule, "number_type": "float"},
        "int": {**rule, "number_type": "int"},
        "filled": {**rule, "number_type": "int", "default": -1},
    }
    result = apply(document, {"v": value})
    assert result["float"] == result["float_too"] == decimal
    assert type(result["float"]) is type(decimal)
    assert (result["int"], type(result["int"])) == (whole, type(whole))
    assert result["filled"] == (-1 if whole is None else whole)


@pytest.mark.parametrize(
    ("value", "read"),
    [
        *[(word, True) for word in ("true", "TRUE", " on ", "yes", "1", "sim", "S", "2", "t", "y")],
        *[(word, False) for word in ("false", "False", "off", "no", "0", "", "  ", "não", "nao")],
        (True, True),
        (False, False),
        (1, True),
        (0, False),
        (0.0, False),
        (-1, True),
        ([], False),
        ([0], True),
        ({}, False),
        (None, None),
        ("talvez", None),
    ],
)
def test_a_boolean_is_read_or_left_out(value: object, read: object) -> None:
    rule = {"type": "boolean", "source": "v"}
    result = apply({"v": rule, "filled": {**rule, "default": True}}, {"v": value})
    assert result == {"v": read, "filled": True if read is None else read}


def test_a_broken_document_is_refused_with_its_reason() -> None:
    with pytest.raises(MappingError) as refused:
        apply({"a": {"type": "eval", "source": "x"}}, {})
    assert refused.value.reason.startswith("Mapeamento inválido: a.type:")
    assert list(refused.value.details) == ["a.type"]


@given(document=documents, payload=payloads)
def test_it_is_total_repeatable_and_leaves_the_payload_alone(document: Any, payload: Any) -> None:
    before = copy.deepcopy((document, payload))
    first = apply(document, payload)
    assert list(first) == list(document)
    assert json.dumps(first, allow_nan=False) == json.dumps(apply(document, payload))
    assert (document, payload) == before


@given(document=near_documents, payload=payloads)
def test_what_is_accepted_can_be_applied(document: Any, payload: Any) -> None:
    if check(document):
        with pytest.raises(MappingError):
            apply(document, payload)
    else:
        json.dumps(apply(document, payload), allow_nan=False)
