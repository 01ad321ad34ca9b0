"""The list, its filter, its counts and its groups; and that none of them reads every letter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, insert, update

from app import clock, counters
from app.access.actor import Actor
from app.counters import Count
from app.db import db, reading, transaction
from app.deliveries.actions import dead_letters as actions
from app.deliveries.models import Cause, DeadLetter, Delivery
from app.deliveries.queries import dead_letters as queries
from app.deliveries.queries.dead_letters import COUNT_UP_TO, DeadLetterFilter, Narrow
from app.events.models import Event
from tests.deliveries.letters import die, row

ANA = Actor("user", 7, "Ana", 1)
Call = Callable[..., Any]


@pytest.fixture(autouse=True)
def hub(seeded_app: Flask) -> Iterator[None]:
    with seeded_app.app_context():
        yield


@pytest.fixture
def get(client: FlaskClient, api_key: Callable[..., str]) -> Call:
    """`get("?event_type=…")` below /api/dlq: status and JSON."""
    headers = {"X-API-Key": api_key("dlq:read", "personal_data:read")}

    def get(path: str = "") -> tuple[int, Any]:
        answer = client.get(f"/api/dlq{path}", headers=headers)
        return answer.status_code, answer.json

    return get


def ids(told: tuple[int, Any]) -> list[int]:
    assert told[0] == 200, told
    return [entry["id"] for entry in told[1]["data"]]


def test_the_contract_of_the_list(get: Call) -> None:
    first, second, third = die(count=3)
    status, told = get("?per_page=2")
    assert status == 200
    assert told["meta"] == {"current_page": 1, "last_page": 2, "per_page": 2, "total": 3}
    assert [entry["id"] for entry in told["data"]] == [third, second]
    entry = told["data"][0]
    assert entry["event_type"] == "payment.failed"
    assert (entry["source_system"], entry["system"]) == ("financeiro", "crm")
    assert "HTTP 404" in entry["reason"]
    assert entry["created_at"].endswith("Z")
    assert ids(get("?per_page=2&page=2")) == [first]


def test_archived_ones_are_shown_only_when_asked_for(get: Call) -> None:
    first, second = die(count=2)
    actions.archive(first, by=ANA, why=None, now=clock.now())
    assert ids(get()) == [second]
    assert ids(get("?state=archived")) == [first]
    assert get("?state=archived")[1]["meta"]["total"] == 1


@pytest.mark.parametrize(
    "query",
    [
        "event_type=invoice.created", "system=cuidadores", "status=422", "error_class=timeout",
        "q=EXPLODIU", "days=1&q=100%25", "from=2026-11-20", "from=2026-11-20T08:00",
        "cause=abc", "from=2026-11-20&to=2026-11-20&event_type=&system=&status=&days=",
    ],
)  # fmt: skip
def test_each_filter_finds_its_own(get: Call, query: str) -> None:
    found, other = die(count=2)
    noon = 1_763_640_000_000 + 365 * clock.DAY
    with transaction() as tx:
        values: dict[str, Any] = {
            "event_type": "invoice.created", "system": "cuidadores", "status": 422, "cause": "abc",
            "error_class": "timeout", "reason": "explodiu 100%",
        }  # fmt: skip
        if "from" in query:
            values["died_at"] = noon
        one = update(DeadLetter).where(DeadLetter.id == found)
        tx.connection.execute(one.values(**values))
        if "from" in query:
            two = update(DeadLetter).where(DeadLetter.id == other)
            tx.connection.execute(two.values(died_at=noon - 2 * clock.DAY))
    assert ids(get(f"?{query}")) == [found]


@pytest.mark.parametrize(
    "query",
    ["days=0", "days=x", "per_page=101", "page=0", "state=gone", "from=yesterday", "status=7",
     "q=%00", "after=1", f"event_type={'x' * 81}"],
)  # fmt: skip
def test_a_wrong_filter_is_named(get: Call, query: str) -> None:
    status, told = get(f"?{query}")
    assert (status, list(told["details"])) == (422, [query.split("=", maxsplit=1)[0]])


FAR = ["9999-12-31", "9999-12-31T23:59", "0001-01-01", "1e17", "-1", "9000000000000000000",
       "9" * 30, "9" * 5_000, "²", "--5", "2026-13-01"]  # fmt: skip


@pytest.mark.parametrize("field", ["from", "to"])
@pytest.mark.parametrize("moment", FAR)
def test_a_moment_that_no_letter_can_have_is_named(
    get: Call, client: FlaskClient, login: Any, field: str, moment: str
) -> None:
    status, told = get(f"?{field}={moment}")
    assert (status, list(told["details"])) == (422, [field])
    login(client, 1)
    for path in ("/dlq", "/dlq/export.csv"):
        answer = client.get(f"{path}?{field}={moment}")
        assert (answer.status_code, list(answer.get_json()["details"])) == (422, [field]), path


@pytest.mark.parametrize("query", ["from=0", "to=2099-12-31", "from=1970-01-02&to=4102444800000"])
def test_the_years_that_can_be_asked_for(get: Call, query: str) -> None:
    (letter,) = die()
    assert ids(get(f"?{query}")) == [letter]


def test_the_key_of_the_last_row_leads_on() -> None:
    first, second, third = die(count=3)
    with reading() as c:
        page = queries.list_dead_letters(c, DeadLetterFilter(per_page=2), clock.now())
        after = queries.key_of(page.rows[-1])
        rest = queries.list_dead_letters(c, DeadLetterFilter(after=after), clock.now())
    assert [one.id for one in page.rows] == [third, second]
    assert [one.id for one in rest.rows] == [first]


def test_the_filter_builds_its_address_again() -> None:
    wanted = DeadLetterFilter.model_validate({"system": "crm", "from": "2026-11-20", "q": "a&b"})
    assert wanted.is_empty() is False
    assert DeadLetterFilter(page=3).is_empty() is True
    again = DeadLetterFilter.model_validate(
        {key: value for key, (value,) in parse_qs(wanted.url_query()).items()}
    )
    assert again == wanted
    assert parse_qs(wanted.url_query(page=2, q=None))["page"] == ["2"]
    assert "q" not in parse_qs(wanted.url_query(q=None))


def test_a_frozen_filter_means_the_same_tomorrow() -> None:
    now = clock.now()
    frozen = Narrow.model_validate_json(Narrow(days=1, system="crm").frozen(now))
    assert (frozen.since, frozen.days, frozen.system) == (now - clock.DAY, None, "crm")
    both = Narrow.model_validate({"days": 1, "from": now - 5}).frozen(now)
    assert Narrow.model_validate_json(both).since == now - 5


def test_one_letter_with_its_attempts_and_its_payload(get: Call) -> None:
    (letter_id,) = die()
    status, told = get(f"/{letter_id}")
    data = told["data"]
    assert (status, data["id"], data["event_status"]) == (200, letter_id, "failed")
    assert data["payload"] == {"name": "Ana", "email": "ana@exemplo.com.br"}
    assert data["body"]["_meta"]["event_type"] == "payment.failed"
    (attempt,) = data["attempt_log"]
    assert (attempt["number"], attempt["status"], attempt["response_body"]) == (1, 404, "{}")
    assert get("/99")[0] == 404


def test_the_statistics(get: Call) -> None:
    die("payment.failed", count=2)
    die("invoice.created")
    with transaction() as tx:
        old = update(DeadLetter).where(DeadLetter.event_type == "invoice.created")
        tx.connection.execute(old.values(died_at=clock.now() - 3 * clock.DAY))
    data = get("/stats")[1]["data"]
    assert (data["total"], data["last_24h"], data["last_7d"]) == (3, 2, 3)
    assert data["by_type"] == {"payment.failed": 2, "invoice.created": 1}
    assert data["by_system"] == {"crm": 3}
    (cause,) = data["by_cause"]
    assert (cause["system"], cause["status"], cause["count"]) == ("crm", 404, 3)


def test_groups_by_cause_most_first() -> None:
    die(count=2)
    with reading() as c:
        (group,) = queries.cause_groups(c)
        assert (group["count"], group["system"], group["status"]) == (2, "crm", 404)
        assert queries.cause_groups(c, "marketing") == []
        assert queries.cause_groups(c, "crm") == [group]


def fill(count: int) -> None:
    """Many open letters at once, with the gauges they would have."""
    letter_id = die()[0]
    sample = row(DeadLetter, letter_id)
    delivery, event_row = row(Delivery, sample.delivery_id), row(Event, sample.event_id)
    with transaction(durable=False) as tx:
        c = tx.connection
        for start in range(0, count, 5_000):
            numbers = range(start + 1_000, min(start + 5_000, count) + 1_000)
            c.execute(insert(Event), [{**event_row._mapping, "id": n} for n in numbers])
            c.execute(
                insert(Delivery),
                [{**delivery._mapping, "id": n, "event_id": n, "body": b"{}"} for n in numbers],
            )
            c.execute(
                insert(DeadLetter),
                [
                    {**sample._mapping, "id": n, "delivery_id": n, "event_id": n,
                     "cause": f"c{n % 40}"}
                    for n in numbers
                ],
            )  # fmt: skip
        cause = {"system": "crm", "status": 404, "error_class": "http_404", "first_at": 1}
        c.execute(
            insert(Cause), [{**cause, "key": f"c{n}", "message": f"cause {n}"} for n in range(40)]
        )
        now = clock.now()
        counters.add(c, [Count("dlq.open", sample.event_type, "crm", count, True)], now)
        shares = [Count("dlq.cause", f"c{n % 40}", "crm", 1, True) for n in range(count)]
        counters.add(c, shares, now)


def statements(work: Callable[[], Any]) -> list[str]:
    """What the work says to the database."""
    said: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *words: said.append(words[2]))
    work()
    return said


def test_many_letters_are_neither_counted_nor_sorted() -> None:
    fill(COUNT_UP_TO + 500)
    with reading() as c:
        groups: list[Any] = []
        said = statements(lambda: groups.extend(queries.cause_groups(c)))
        assert (len(groups), "dead_letters" in " ".join(said)) == (41, False)
        for wanted in ({}, {"event_type": "payment.failed"}, {"system": "crm"}, {"cause": "c1"}):
            filter_ = DeadLetterFilter(**wanted)
            said = statements(lambda one=filter_: one.count(c, 1))
            assert "dead_letters" not in " ".join(said)
        assert DeadLetterFilter().count(c, 1) == (COUNT_UP_TO + 501, False)
        assert DeadLetterFilter(status=404).count(c, 1) == (COUNT_UP_TO, True)
        assert DeadLetterFilter(status=410).count(c, 1) == (0, False)


@pytest.mark.parametrize(
    "wanted", [{}, {"event_type": "a.b"}, {"system": "crm"}, {"cause": "c1"}, {"after": "5.5"}]
)
def test_the_list_reads_one_range_of_an_index(wanted: dict[str, str]) -> None:
    filter_ = DeadLetterFilter(**wanted)
    with reading() as c:
        said: list[str] = []
        event.listen(db.engine, "before_cursor_execute", lambda *w: said.append((w[2], w[3])))
        queries.list_dead_letters(c, filter_, clock.now())
        query, values = next(pair for pair in said if "ORDER BY dead_letters.died_at" in pair[0])
        plan = " | ".join(
            entry.detail for entry in c.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", values)
        )
    assert "USING INDEX ix_dead_letters_state" in plan
    assert "SCAN" not in plan
    assert "TEMP B-TREE" not in plan
