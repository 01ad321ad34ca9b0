"""Put aside, take back, delete: states, counts, audit trail, refusals."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from app import clock, counters
from app.access.actor import Actor
from app.access.models import AuditEntry
from app.db import reading, transaction
from app.deliveries.actions import dead_letters
from app.deliveries.actions.cleanup import cleanup_dead_letters, count_old_dead_letters
from app.deliveries.models import DeadLetter
from app.errors import Conflict, NotFound
from tests.deliveries.letters import check_counts, die, row, rows

ANA = Actor("user", 7, "Ana", 1)


@pytest.fixture(autouse=True)
def hub(seeded_app: Flask) -> Iterator[None]:
    with seeded_app.app_context():
        yield


def still_open() -> int:
    with reading() as c:
        return counters.gauge(c, "dlq.open")


def actions() -> list[str]:
    return [entry.action for entry in rows(AuditEntry) if entry.action.startswith("dlq.")]


@pytest.mark.usefixtures("any_database")
def test_an_archived_letter_leaves_every_count_and_comes_back() -> None:
    first, _ = die(count=2)
    dead_letters.archive(first, by=ANA, why="teste do CRM", now=clock.now())
    letter = row(DeadLetter, first)
    assert (letter.state, letter.note, letter.changed_by) == ("archived", "teste do CRM", "Ana")
    assert still_open() == 1
    check_counts()
    dead_letters.unarchive(first, by=ANA, why=None, now=clock.now())
    assert (row(DeadLetter, first).state, still_open()) == ("open", 2)
    check_counts()
    assert actions() == ["dlq.archived", "dlq.unarchived"]


def test_a_second_click_does_nothing() -> None:
    (letter_id,) = die()
    for _ in range(2):
        dead_letters.archive(letter_id, by=ANA, why="x", now=clock.now())
    assert (still_open(), actions()) == (0, ["dlq.archived"])
    for _ in range(2):
        dead_letters.unarchive(letter_id, by=ANA, why=None, now=clock.now())
    assert (still_open(), actions()) == (1, ["dlq.archived", "dlq.unarchived"])
    check_counts()


def test_a_selection_is_archived_with_one_entry() -> None:
    ids = die(count=3)
    dead_letters.retry(ids[0], by=ANA, why=None, now=clock.now())
    moved = dead_letters.archive_selection(ids, by=ANA, why="velhas", now=clock.now())
    assert (moved.done, set(moved.skipped)) == (ids[1:], {ids[0]})
    assert actions() == ["dlq.retried", "dlq.selection_archived"]
    check_counts()


@pytest.mark.parametrize(
    ("deed", "state"),
    [
        (dead_letters.archive, "retrying"),
        (dead_letters.archive, "resolved"),
        (dead_letters.unarchive, "retrying"),
        (dead_letters.unarchive, "resolved"),
    ],
)
def test_other_states_are_refused(deed: Callable[..., Any], state: str) -> None:
    (letter_id,) = die()
    with transaction() as tx:
        tx.connection.execute(update(DeadLetter).values(state=state))
    with pytest.raises(Conflict):
        deed(letter_id, by=ANA, why=None, now=clock.now())
    with pytest.raises(NotFound):
        deed(99, by=ANA, why=None, now=clock.now())


def test_only_an_archived_letter_is_deleted() -> None:
    (letter_id,) = die()
    with pytest.raises(Conflict):
        dead_letters.delete(letter_id, by=ANA, why=None)
    dead_letters.archive(letter_id, by=ANA, why=None, now=clock.now())
    dead_letters.delete(letter_id, by=ANA, why="dados de teste")
    assert rows(DeadLetter) == []
    assert actions() == ["dlq.archived", "dlq.deleted"]
    with pytest.raises(NotFound):
        dead_letters.delete(letter_id, by=ANA, why=None)


def test_retention_takes_archived_letters_only_after_their_time() -> None:
    old, fresh, _ = die(count=3)
    dead_letters.archive(old, by=ANA, why=None, now=clock.now() - 100 * clock.DAY)
    dead_letters.archive(fresh, by=ANA, why=None, now=clock.now())
    before = clock.now() - 90 * clock.DAY
    assert count_old_dead_letters(before) == 1
    assert cleanup_dead_letters(before) == 1
    assert [letter.id for letter in rows(DeadLetter)] == [fresh, fresh + 1]


def test_over_json(client: FlaskClient, api_key: Callable[..., str]) -> None:
    (letter_id,) = die()
    headers = {"X-API-Key": api_key("dlq:*")}

    def ask(method: str, path: str = "") -> tuple[int, str]:
        answer = client.open(f"/api/dlq/{letter_id}{path}", method=method, headers=headers)
        return answer.status_code, "error" if "error" in answer.json else "message"

    assert ask("DELETE") == (409, "error")
    assert ask("POST", "/archive") == (200, "message")
    assert ask("POST", "/unarchive") == (200, "message")
    assert ask("POST", "/archive") == (200, "message")
    assert ask("DELETE") == (200, "message")
    assert ask("DELETE") == (404, "error")


def test_operation_archives_but_does_not_delete(
    client: FlaskClient, login: Callable[..., Any]
) -> None:
    (letter_id,) = die()
    login(client, 1)
    assert client.post(f"/api/dlq/{letter_id}/archive").status_code == 200
    refused = client.delete(f"/api/dlq/{letter_id}")
    assert (refused.status_code, "Desenvolvimento" in refused.json["error"]) == (403, True)
    contextvars.Context().run(login, client, 2)
    assert client.delete(f"/api/dlq/{letter_id}").status_code == 200


def test_a_browser_goes_back_to_where_it_was(
    client: FlaskClient, login: Callable[..., Any]
) -> None:
    ids = die(count=3)
    login(client, 1)
    page = "/dlq?system=crm"
    headers = {"Accept": "text/html", "Referer": f"http://localhost{page}"}
    form = {"ids": ids[:2], "why": "x"}
    moved = client.post("/api/dlq/archive", data=form, headers=headers)
    assert (moved.status_code, moved.headers["Location"]) == (303, page)
    assert still_open() == 1
