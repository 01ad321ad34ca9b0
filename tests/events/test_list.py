"""GET /api/events and its sums: filters, pages, the way on, each refusal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import update

from app import clock
from app.db import reading, transaction
from app.errors import Invalid
from app.events import queries
from app.events.actions import intake
from app.events.models import Event
from app.events.queries import EventFilter, instant
from app.events.rules import new_event

ZONE = ZoneInfo("America/Sao_Paulo")
NOON = int(datetime(2026, 3, 10, 15, tzinfo=UTC).timestamp() * 1000)  # 12:00 in São Paulo
Get = Callable[..., Any]


@pytest.fixture
def full(seeded_app: Flask) -> Iterator[list[int]]:
    """Ids of eight events, an hour apart, oldest first; types and systems by turns."""
    with seeded_app.app_context():
        wanted = [("lead.created", "site"), ("whatsapp.inbound", "whatsapp")] * 4
        made = intake.accept(
            [new_event(type_, name, {}, raw=b"{}", via="test") for type_, name in wanted]
        )
        ids = [each.id for each in made]  # type: ignore[union-attr]
        with transaction() as tx:
            for hour, id_ in enumerate(ids):
                values = {"created_at": NOON + hour * clock.HOUR}
                values |= {"status": "failed"} if hour == 3 else {}
                tx.connection.execute(update(Event).where(Event.id == id_).values(**values))
        yield ids


def test_events_come_newest_first_in_pages(get: Get, full: list[int]) -> None:
    status, body = get("?per_page=3&page=2")
    assert status == 200
    assert [each["id"] for each in body["data"]] == full[::-1][3:6]
    meta = body["meta"]
    assert {name: meta[name] for name in ("current_page", "last_page", "per_page", "total")} == {
        "current_page": 2,
        "last_page": 3,
        "per_page": 3,
        "total": 8,
    }
    assert body["data"][0].keys() >= {"id", "event_type", "source_system", "status", "created_at"}
    assert get("?page=99").json["data"] == []


def test_a_cursor_leads_through_all_of_it(get: Get, full: list[int]) -> None:
    seen, cursor = [], ""
    while cursor is not None:
        body = get(f"?per_page=3&cursor={cursor}").json
        seen += [each["id"] for each in body["data"]]
        cursor = body["meta"]["next_cursor"]
    assert seen == full[::-1]


FILTERED = {
    "": 8,
    "?type=lead.created": 4,
    "?event_type=lead.created&source=site": 4,
    "?type=lead.created&source=whatsapp": 0,
    "?status=failed": 1,
    "?status=pending": 7,
    "?type=&source=&status=&from=&to=": 8,
    "?from=2026-03-10": 8,
    "?to=2026-03-10": 8,
    "?from=2026-03-11": 0,
    "?to=2026-03-09": 0,
    "?from=2026-03-10T14:00": 6,
    "?from=2026-03-10T14:00:00-03:00": 6,
    "?from=2026-03-10T17:00:00Z": 6,
    "?from=2026-03-10T18:00:00+01:00": 6,
    "?from=2026-03-10 14:00:01": 5,
    "?from=2026-03-10T13:00&to=2026-03-10T14:00": 2,
}
WRONG = {
    "?status=lost": "status",
    "?page=0": "page",
    "?per_page=101": "per_page",
    "?per_page=x": "per_page",
    "?page=502": "page",
    "?page=1000000&per_page=100": "page",
    "?from=yesterday": "from",
    "?to=2026-02-30": "to",
    "?from=%00": "from",
    "?type=%00": "type",
    "?source=%C3%A9": "source",
    "?cursor=1": "cursor",
    "?cursor=1.2%00": "cursor",
}


def test_events_are_filtered(get: Get, full: list[int]) -> None:
    assert {query: get(query).json["meta"]["total"] for query in FILTERED} == FILTERED


def test_what_is_wrong_is_named(get: Get) -> None:
    for query, field in WRONG.items():
        status, body = get(query)
        assert (status, list(body["details"])) == (422, [field]), query


def test_a_day_is_a_day_of_the_operation() -> None:
    start, end = instant("from", "2026-03-10", ZONE), instant("to", "2026-03-10", ZONE, end=True)
    assert clock.iso(start) == "2026-03-10T03:00:00.000Z"
    assert end - start == clock.DAY
    with pytest.raises(Invalid):
        instant("to", "9999-12-31", ZONE, end=True)


def test_counting_stops_where_nobody_reads_on(
    app_context: None, monkeypatch: pytest.MonkeyPatch, full: list[int]
) -> None:
    monkeypatch.setattr(queries, "DEEPEST", 5)
    with reading() as c:
        page = queries.listed(c, EventFilter(per_page=2), ZONE)
    assert (page.total, page.more, page.last) == (6, True, 3)


def test_sums_are_read_from_the_counters(get: Get, post: Callable[..., Any]) -> None:
    for n in range(3):
        source = "whatsapp" if n else "site"
        post(json={"event_type": "lead.created", "source_system": source, "payload": {}})
    post(json={"event_type": "nobody.listens", "source_system": "site", "payload": {}})
    status, body = get("/stats")
    assert status == 200
    assert body["data"] == {
        "pending": 3,
        "today": {"total": 4, "processed": 1, "failed": 0},
        "by_type": {"lead.created": 3, "nobody.listens": 1},
        "by_source": {"site": 2, "whatsapp": 2},
    }


def test_a_key_that_may_read_is_needed(
    client: Any, seeded_app: Flask, api_key: Callable[..., str]
) -> None:
    for path in ("/api/events", "/api/events/stats", "/api/events/1"):
        assert client.get(path).status_code == 401
        headers = {"X-API-Key": api_key("events:write")}
        assert client.get(path, headers=headers).status_code == 403
