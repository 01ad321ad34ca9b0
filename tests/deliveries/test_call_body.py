"""What a delivery keeps of a call, and that those kept by earlier releases are still read."""

from __future__ import annotations

import math

import pytest

from app.deliveries.rules.call import Call
from app.errors import Invalid
from app.payloads import dump_json

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
