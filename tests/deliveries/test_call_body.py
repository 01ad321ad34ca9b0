"""What a delivery keeps of a call, and that those kept by earlier releases are still read."""

from __future__ import annotations

import json
import math

import pytest

from app.deliveries.rules.call import UNREADABLE, Call, judged
from app.errors import Invalid
from app.payloads import DEEPEST, dump_json
from app.systems.rules.answer import Answer

WHOLE = Call(
    "POST", "/api/v1/leads", {"name": "Ana", "note": None}, {"page": "1"}, {"id": "data.id"},
    ("id",), True, "a-key",
)  # fmt: skip


def test_only_what_is_unusual_is_kept() -> None:
    assert Call("GET", "/api/v1/leads").as_body() == b'{"method":"GET","path":"/api/v1/leads"}'


@pytest.mark.parametrize("call", [WHOLE, Call("GET", "/"), Call("PUT", "/x", {})])
def test_what_is_kept_is_read_again(call: Call) -> None:
    assert Call.read(call.as_body()) == call


def test_what_an_earlier_release_kept_is_read() -> None:
    kept = {
        "method": "POST", "path": "/api/v1/leads", "json": {"name": "Ana", "note": None},
        "query": {"page": "1"}, "leaves": {"id": "data.id"}, "demands": ["id"], "absent": True,
        "key": "a-key",
    }  # fmt: skip
    assert Call.read(dump_json(kept)) == WHOLE


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_no_number_that_json_does_not_know_is_kept(value: float) -> None:
    with pytest.raises(Invalid):
        Call("POST", "/", {"amount": value}).as_body()


LOOK = Call("GET", "/", leaves={"id": "data.id"})


def answered(value: str, call: Call = LOOK) -> Answer:
    """What becomes of an answer whose id is written so."""
    body = f'{{"data": {{"id": {value}}}}}'.encode()
    return judged(call, Answer(200, body, {}, 1))


@pytest.mark.parametrize(
    "value",
    ["7", '"7"', "null", "-9223372036854775808", "9223372036854775807", "1.5", "true", '""',
     f'"{"x" * 80}"', '"ação 😀"', r'"\ud83d\ude00"'],
)  # fmt: skip
def test_plain_values_are_left(value: str) -> None:
    found = answered(value)
    assert found.error_class == ""
    assert found.output is not None
    assert json.loads(found.output.encode()) == {"id": json.loads(value)}


@pytest.mark.parametrize(
    "value",
    [r'"\ud800"', r'"\udfff"', r'"a\u0000b"', "NaN", "Infinity", "-Infinity", "1e999",
     "9223372036854775808", "-9223372036854775809", "9" * 5_000, f'"{"x" * 81}"', "[]", "{}",
     "[7]", '{"id": 7}', "[" * 970 + "]" * 970, "[" * 100_000 + "]" * 100_000,
     '{"a":' * 300 + "1" + "}" * 300],
)  # fmt: skip
@pytest.mark.parametrize("demands", [(), ("id",)])
def test_whatever_else_is_a_bad_answer(value: str, demands: tuple[str, ...]) -> None:
    found = answered(value, Call("POST", "/", {}, leaves={"id": "data.id"}, demands=demands))
    assert (found.error_class, found.output) == (UNREADABLE, None)
    assert found.error


@pytest.mark.parametrize("levels", [DEEPEST - 3, DEEPEST - 2])
def test_how_deep_an_answer_is_read_does_not_hang_on_the_stack(levels: int) -> None:
    beside = "[" * levels + "]" * levels
    body = f'{{"data": [{{"id": 7, "beside": {beside}}}]}}'.encode()
    call = Call("GET", "/", leaves={"id": "data.0.id"})
    fits = levels + 3 <= DEEPEST

    def judge(frames: int) -> str:
        return judge(frames - 1) if frames else judged(call, Answer(200, body, {}, 1)).error_class

    assert {judge(frames) for frames in (0, 200, 600)} == {"" if fits else UNREADABLE}


def test_what_is_not_kept_may_be_strange() -> None:
    body = rb'{"data": {"id": 7, "note": "cut \ud83d", "rate": NaN, "nul": "\u0000"}}'
    assert judged(LOOK, Answer(200, body, {}, 1)).output == '{"id": 7}'
