"""Hostile bytes to JSON values and back: limits on depth, and nothing that a database refuses."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from msgspec import to_builtins
from msgspec.json import Encoder
from pydantic_core import from_json

from app.errors import Invalid

_encode = Encoder().encode
_encode_sorted = Encoder(order="sorted").encode
_NESTING = frozenset({dict, list})
_LONG = frozenset({dict, list, str, int})
# What a value adds to the length of its text (a comma at least), and what a list or an object
# adds to that of its values; it is also what they cost to visit.
VALUE, NEST = 2, 8
_STRICT = json.JSONEncoder(allow_nan=False, default=to_builtins)
# Levels that code may walk by recursion wherever it runs: more than HUB_MAX_NESTING allows, with
# room for what the hub puts around a payload.
DEEPEST = 128
# Characters of a text kept out of an answer: as many as the columns of ids hold.
LONGEST_PLAIN = 80
_LARGEST_INT = 2**63
# PostgreSQL takes no NUL, and no database takes half a pair.
_UNFIT = re.compile("[\0\ud800-\udfff]")


class TooDeep(ValueError):
    """JSON that is nested deeper than DEEPEST levels."""


def read_json(raw: bytes | str) -> Any:
    """The JSON value of a partner's text, of DEEPEST levels at most; ValueError (TooDeep).

    Unlike `parse_json` it takes whatever texts and numbers hold: look at those that are kept.
    """
    try:
        value = json.loads(raw)
    except RecursionError:
        raise TooDeep("nested too deeply") from None
    if depth(value) > DEEPEST:
        raise TooDeep("nested too deeply")
    return value


def is_plain(value: Any) -> bool:
    """Whether it is null or an id, a short text or a number that can be stored and sent on.

    At most LONGEST_PLAIN characters without NUL or lone surrogates; integers of 64 bits; no NaN.
    """
    if isinstance(value, str):
        return len(value) <= LONGEST_PLAIN and not _UNFIT.search(value)
    if isinstance(value, int):
        return -_LARGEST_INT <= value < _LARGEST_INT
    return value is None or (isinstance(value, float) and math.isfinite(value))


def cut(value: Any, levels: int = DEEPEST) -> Any:
    """The value with `…` for the objects and lists that lie deeper than so many levels."""
    if type(value) not in _NESTING:
        return value
    if not levels:
        return "…"
    if isinstance(value, dict):
        return {name: cut(each, levels - 1) for name, each in value.items()}
    return [cut(each, levels - 1) for each in value]


def parse_json(raw: bytes, max_nesting: int) -> Any:
    """The JSON value of `raw`; Invalid for anything that could not be stored or sent on."""
    try:
        value = from_json(raw, allow_inf_nan=False, cache_strings="keys")
    except ValueError as problem:
        text = str(problem)
        reason = "nested too deeply" if "recursion" in text else f"is not valid JSON: {text}"
        raise Invalid(details={"body": [reason]}) from None
    # Depth cannot exceed the number of opening brackets: most payloads need no walk.
    if raw.count(b"{") + raw.count(b"[") > max_nesting and depth(value) > max_nesting:
        raise Invalid(details={"body": [f"nested too deeply (at most {max_nesting} levels)"]})
    if b"\\u0000" in raw and _has_nul(value):
        raise Invalid(details={"body": ["contains the NUL character"]})
    return value


def dump_json(value: Any) -> bytes:
    """Compact UTF-8 JSON; Invalid for numbers that JSON does not know."""
    try:
        encoded: bytes = _encode(value)
        # The fast encoder writes null for what is no number: where there is one, look closer.
        if b"null" in encoded:
            _STRICT.encode(value)
    except (ValueError, UnicodeEncodeError):
        raise Invalid(details={"body": ["holds a number or text JSON cannot carry"]}) from None
    return encoded


def canonical_json(value: Any) -> bytes:
    """The same bytes for equal values, whatever the order of their keys."""
    encoded: bytes = _encode_sorted(value)
    return encoded


def storable(value: Any) -> Any:
    """A partner's JSON value with each text such as every database and page takes: NUL and halves
    of characters become `?`."""
    if isinstance(value, str):
        return value.replace("\0", "?").encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [storable(each) for each in value]
    if isinstance(value, dict):
        return {storable(key): storable(each) for key, each in value.items()}
    return value


def depth(value: Any) -> int:
    """Levels of objects and lists in a value; a scalar has none."""
    levels, layer = 0, [value]
    while layer := [item for item in layer if type(item) in _NESTING]:
        levels += 1
        layer = [
            child for item in layer for child in (item.values() if type(item) is dict else item)
        ]
    return levels


def weight(value: Any, enough: int) -> int:
    """About as many characters as a value has when it is written; not counted past `enough`.

    Those of its texts and keys, VALUE for each value in a list or object, NEST for each list or
    object, and the bits of a number beyond 64 of them, because to write one is dear.
    """
    total, left = 0, [value]
    while left and total <= enough:
        item = left.pop()
        kind = type(item)
        if kind is str:
            total += len(item)
        elif kind is int:
            total += item.bit_length()
        elif kind in _NESTING:
            total += NEST + VALUE * len(item)
            if kind is dict:
                total += sum(map(len, item))
                item = item.values()
            # Short numbers, most of many lists, are not worth a turn of their own.
            left += [
                each
                for each in item
                if (of := type(each)) in _LONG and (of is not int or each.bit_length() > 64)
            ]
    return total


def _has_nul(value: Any) -> bool:
    """Whether a NUL stands in any key or text."""
    layer = [value]
    while layer:
        item = layer.pop()
        if isinstance(item, str):
            if "\0" in item:
                return True
        elif isinstance(item, dict):
            layer.extend(item)
            layer.extend(item.values())
        elif isinstance(item, list):
            layer.extend(item)
    return False
