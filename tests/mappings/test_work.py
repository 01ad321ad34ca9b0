"""What a mapping costs: a few kilobytes of it cannot keep a thread busy, whatever the payload."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.deliveries.actions.plan import plan_one
from app.errors import Invalid
from app.facts import AcceptedEvent
from app.mappings.queries.plan import Destination
from app.mappings.rules import apply, compile_mapping
from app.mappings.rules.work import MOST_WORK, Work
from app.payloads import NEST, VALUE, dump_json

LARGEST = 1024 * 1024
LONG = 10**4_000


def _chain(levels: int) -> list[Any]:
    inner: list[Any] = [1] * 100_000
    for _ in range(levels):
        inner = [inner]
    return inner


def _many(rule: object) -> dict[str, object]:
    return {f"t{n}": rule for n in range(200)}


def _all(path: str, kind: str = "concat") -> dict[str, object]:
    return _many({"type": kind, "sources": [path] * 20})


EMPTY = {"a": [[] for _ in range(300_000)]}
TEXT = {"a": "É" * 400_000}
TOO_MUCH: dict[str, tuple[dict[str, object], object]] = {
    "wildcards that find nothing": (_all("a.*.*"), EMPTY),
    "wildcards that find nulls": (_all("a.*.x"), EMPTY),
    "few of them": ({"t": {"type": "concat", "sources": ["a.*.*"] * 16}}, EMPTY),
    "objects opened": (_many("*.*"), [{"a": 1} for _ in range(100_000)]),
    "sixteen levels": (_many(".".join("*" * 16)), _chain(15)),
    "texts joined": ({"t": {"type": "concat", "sources": ["a"] * 16}}, TEXT),
    "texts read as booleans": (_many({"type": "boolean", "source": "a"}), TEXT),
    "texts read as numbers": (_many({"type": "number", "source": "a"}), TEXT),
    "texts read as dates": (_many({"type": "date", "source": "a"}), TEXT),
    "texts looked up": (_many({"type": "map", "source": "a", "map": {"x": 1}}), TEXT),
    "numbers of thousands of digits": (_all("a"), {"a": LONG}),
    "lists of them": (_all("a", "array"), {"a": [LONG]}),
    "a part named by few": ({f"t{n}": "a" for n in range(16)}, {"a": [1] * 300_000}),
}


@pytest.mark.parametrize("name", TOO_MUCH)
def test_what_is_too_much_is_refused_by_its_target(name: str) -> None:
    document, payload = TOO_MUCH[name]
    with pytest.raises(Invalid) as refused:
        apply(document, payload)
    ((target, (said,)),) = refused.value.details.items()
    assert said == "lê e produz mais de 4 MiB com este evento"
    assert refused.value.message == f"Mapeamento: {target}: {said}"
    assert target in document


@pytest.mark.parametrize("name", TOO_MUCH)
def test_no_more_is_visited_than_was_allowed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted, not timed: what was paid for when it ended, and what one path can owe."""
    spent: list[int] = []
    spend = Work.spend

    def counted(self: Work, amount: int) -> None:
        spent.append(amount)
        spend(self, amount)

    monkeypatch.setattr(Work, "spend", counted)
    document, payload = TOO_MUCH[name]
    with pytest.raises(Invalid):
        apply(document, payload)
    assert MOST_WORK < sum(spent) <= MOST_WORK + (VALUE + NEST) * LARGEST // VALUE


def _objects(keys: int) -> dict[str, list[dict[str, object]]]:
    """A payload of the largest size, of objects with so many short fields."""
    one = {f"k{n}": n % 10 if n % 2 else "Ana" for n in range(keys)}
    return {"items": [one] * (LARGEST // (len(dump_json(one)) + 1) - 1)}


@pytest.mark.parametrize("keys", [2, 5, 20])
def test_each_field_of_the_largest_payload_may_be_named_twice(keys: int) -> None:
    payload = _objects(keys)
    assert LARGEST * 0.99 < len(dump_json(payload)) <= LARGEST
    document = {f"{copy}{n}": f"items.*.k{n}" for n in range(keys) for copy in "ab"}
    made = apply(document, payload)
    assert {len(column) for column in made.values() if isinstance(column, list)} == {
        len(payload["items"])
    }


@pytest.mark.parametrize(
    ("document", "payload"),
    [
        ({f"t{n}": "a" for n in range(4)}, {"a": "x" * (LARGEST - 8)}),
        ({f"t{n}": "a" for n in range(3)}, {"a": [1] * (LARGEST // 2 - 10)}),
        ({"t": "a.*"}, {"a": [1] * (LARGEST // 2 - 10)}),
        ({"t": {"type": "concat", "sources": ["a", "a", "a"]}}, {"a": "x" * (LARGEST - 8)}),
    ],
)
def test_the_largest_payload_of_one_kind_may_be_taken_whole(
    document: dict[str, object], payload: object
) -> None:
    assert apply(document, payload)


def test_an_event_that_is_too_much_is_a_dead_letter_of_its_own_route() -> None:
    document, payload = TOO_MUCH["wildcards that find nothing"]
    routes = (
        Destination("crm", "1.0.0", compile_mapping(document)),
        Destination("site", "1.0.0", compile_mapping({"n": "n"})),
    )
    event = AcceptedEvent(1, "a.b", "site", payload, 1)
    dead, alive = plan_one(event, {"a.b": routes}, {"crm": [1], "site": [2]})
    assert (dead.system, dead.error_class) == ("crm", "mapping")
    assert dead.reason == "Mapeamento: t0: lê e produz mais de 4 MiB com este evento"
    assert (alive.system, alive.error_class) == ("site", "")
    assert json.loads(alive.body)["n"] is None
