"""Whatever a source sends is an item or is told as none; the same item has the same names."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.payloads import DEEPEST, cut
from app.syncs.rules.items import Found, NoItem, Unreadable, found, page_of
from app.syncs.rules.table import SYNCS

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
IDS = st.integers(0, 10**12) | st.from_regex(r"[a-z0-9-]{1,80}", fullmatch=True)
FIELDS = (
    "client_id", "contract_id", "service_type", "start_date", "end_date", "preferences", "hours",
    "hourly_rate", "total", "billing_type", "value", "payment_method", "caregiver_id", "changes",
    "updated_at",
)  # fmt: skip
ITEMS = st.fixed_dictionaries({"id": IDS}, optional=dict.fromkeys(FIELDS, SCALARS))
NAMES = sorted(SYNCS)


def deep(levels: int) -> Any:
    """A list in a list in a list…"""
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@given(st.sampled_from(NAMES), JSON)
@example("operacao_financeiro", {"id": 1, "extras": 7})
@example("operacao_financeiro", {"id": 1, "extras": [None, {"a": 1}]})
@example("crm_operacao", {"id": "a/b?c#d"})
@example("crm_operacao", {"id": "\x00"})
@example("crm_operacao", {"id": "\ud800"})
def test_any_json_is_an_item_or_is_told_as_none(name: str, value: Any) -> None:
    each = found(SYNCS[name], value)
    assert isinstance(each, Found | NoItem)
    assert 0 < len(each.source_id) <= 80
    assert json.dumps(json.loads(each.payload)) == json.dumps(cut(value))
    if isinstance(each, NoItem):
        assert each.reason


@pytest.mark.parametrize("levels", [DEEPEST + 1, 983, 50_000])
@pytest.mark.parametrize("name", NAMES)
def test_what_is_nested_too_deeply_is_told_as_no_item(name: str, levels: int) -> None:
    inner = deep(levels)
    for item in (inner, {"n": inner}, {"id": 7, "changes": inner}):
        each = found(SYNCS[name], item)
        assert isinstance(each, NoItem)
        assert json.loads(each.payload) == cut(item)
        assert found(SYNCS[name], item) == each
    assert (each.source_id, each.reason) == ("7", "o item está aninhado fundo demais")


@given(st.sampled_from(NAMES), ITEMS)
def test_what_is_written_names_its_item_and_can_be_confirmed(name: str, item: Any) -> None:
    sync = SYNCS[name]
    each = found(sync, item)
    if isinstance(each, NoItem):
        # Numbers that JSON does not know.
        assert any(value != value or value in (float("inf"), float("-inf"))
                   for value in item.values() if isinstance(value, float))  # fmt: skip
        return
    assert each.source_id == str(item["id"])
    write, confirm = sync.write(item, date(2026, 11, 28)), sync.confirm(item, "17")
    assert write.system == sync.target
    assert confirm.system == sync.source
    assert "?" not in confirm.path and "#" not in confirm.path
    assert confirm.path.count("/") == sync.confirm({**item, "id": 1}, "17").path.count("/")


@given(st.sampled_from(NAMES), ITEMS, st.randoms(use_true_random=False))
def test_the_order_of_fields_gives_no_second_write(name: str, item: Any, chance: Any) -> None:
    shuffled = list(item.items())
    chance.shuffle(shuffled)
    first, second = found(SYNCS[name], item), found(SYNCS[name], dict(shuffled))
    assert (first.version, first.idempotency_key) == (second.version, second.idempotency_key)


@given(st.sampled_from(NAMES), ITEMS, ITEMS)
@example("operacao_financeiro", {"id": "9" * 80}, {"id": "9" * 79})
def test_items_with_other_ids_have_other_keys(name: str, one: Any, other: Any) -> None:
    first, second = found(SYNCS[name], one), found(SYNCS[name], other)
    if isinstance(first, Found) and isinstance(second, Found):
        same = first.source_id == second.source_id and first.version == second.version
        assert (first.idempotency_key == second.idempotency_key) == same
        assert len(first.idempotency_key) <= 80


@given(st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()), st.integers(1))
def test_any_answer_is_a_page_or_unreadable(raw: bytes, number: int) -> None:
    try:
        page = page_of(raw, number)
    except Unreadable as problem:
        assert str(problem)
        return
    assert page.next in (None, number + 1)


@pytest.mark.parametrize(
    ("document", "number", "following"),
    [
        ({"data": [1], "meta": {"last_page": 3}}, 1, 2),
        ({"data": [1], "meta": {"last_page": 3}}, 3, None),
        ({"data": [], "meta": {"last_page": 3}}, 1, None),
        ({"data": [1], "meta": {"last_page": True}}, 1, None),
        ({"data": [1], "meta": "x"}, 1, None),
        ([1, 2], 1, None),
    ],
)
def test_pages_go_on_until_the_last(document: Any, number: int, following: int | None) -> None:
    assert page_of(json.dumps(document).encode(), number).next == following
