"""POST /api/events/batch: an answer for each, the good ones in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

EVENT = {"event_type": "lead.created", "source_system": "site", "payload": {"n": 1}}
Post = Callable[..., Any]


def test_each_item_is_answered_in_its_place(post: Post, stored: Callable[[], list[Any]]) -> None:
    post(json=EVENT | {"idempotency_key": "old"})
    items = [
        EVENT,
        EVENT | {"idempotency_key": "old"},
        EVENT | {"idempotency_key": "old", "payload": {}},
        EVENT | {"source_system": "erp"},
        "no event",
        EVENT | {"idempotency_key": "new"},
        EVENT | {"idempotency_key": "new"},
        EVENT | {"idempotency_key": "new", "payload": {}},
    ]
    status, body = post("/batch", json={"events": items})
    assert status == 200
    assert [each["status"] for each in body["data"]] == [201, 200, 409, 422, 422, 201, 200, 409]
    assert body["data"][3]["details"].keys() == {"source_system"}
    assert body["data"][2]["error"] == "Idempotency key already used with another body"
    assert body["data"][5]["data"]["id"] == body["data"][6]["data"]["id"]
    assert body["meta"] == {"total": 8, "accepted": 2, "repeated": 2, "refused": 4}
    assert len(stored()) == 3


def test_a_bare_list_will_do(post: Post, stored: Callable[[], list[Any]]) -> None:
    assert post("/batch", json=[EVENT] * 1_000).json["meta"]["accepted"] == 1_000
    assert len({row.id for row in stored()}) == 1_000


def test_a_batch_sent_again_counts_once(post: Post, stored: Callable[[], list[Any]]) -> None:
    items = [EVENT | {"idempotency_key": f"k-{n}"} for n in range(5)]
    first, again = post("/batch", json=items).json, post("/batch", json=items).json
    assert [each["data"] for each in first["data"]] == [each["data"] for each in again["data"]]
    assert again["meta"]["repeated"] == 5
    assert len(stored()) == 5


@pytest.mark.parametrize(
    "document", [{}, {"events": {}}, {"events": []}, [], 7, [EVENT] * 1_001, {"events": None}]
)
def test_what_is_no_batch_is_refused(post: Post, document: Any) -> None:
    status, body = post("/batch", json=document)
    assert status == 422
    assert list(body["details"]) == ["events"]
