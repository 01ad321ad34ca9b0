"""`flask dlq …` and `flask integrations cleanup-dlq`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from app import clock
from app.access.actor import SYSTEM
from app.access.models import AuditEntry
from app.deliveries.actions import dead_letters
from app.deliveries.models import Bulk, DeadLetter
from tests.deliveries.letters import check_counts, die, row, rows

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(seeded_app: Flask) -> Iterator[Run]:
    """`run("dlq", "list")`: exit code and what was printed."""

    def run(*words: str) -> tuple[int, str]:
        result = seeded_app.test_cli_runner().invoke(args=words)
        return result.exit_code, result.output

    with seeded_app.app_context():
        yield run


def test_list(run: Run) -> None:
    first, second = die(count=2)
    code, told = run("dlq", "list")
    assert (code, "2 of 2" in told) == (0, True)
    data = json.loads(run("dlq", "list", "--json", "--system", "crm")[1])
    assert [entry["id"] for entry in data["data"]] == [second, first]
    assert json.loads(run("dlq", "list", "--json", "--state", "archived")[1])["data"] == []


def test_show(run: Run) -> None:
    (letter_id,) = die()
    code, told = run("dlq", "show", str(letter_id))
    assert (code, "HTTP 404" in told) == (0, True)
    data = json.loads(run("dlq", "show", str(letter_id), "--json")[1])
    assert data["payload"]["name"] == "Ana"
    assert run("dlq", "show", "99")[0] == 1


def test_retry(run: Run) -> None:
    first, second = die(count=2)
    code, told = run("dlq", "retry", str(first), "--why", "o CRM voltou", "--json")
    assert (code, json.loads(told)) == (0, {"done": [first], "skipped": {}})
    assert row(DeadLetter, first).state == "retrying"
    code, told = run("dlq", "retry", str(first), str(second))
    assert (code, "1 dead letters queued" in told) == (1, True)
    entry = next(entry for entry in rows(AuditEntry) if entry.why)
    assert entry.actor_name.startswith("terminal (")
    check_counts()


def test_retry_all_of_a_filter(run: Run) -> None:
    die("payment.failed", count=2)
    die("invoice.created")
    code, told = run("dlq", "retry", "--all", "--event-type", "payment.failed", "--json")
    (made,) = rows(Bulk)
    assert (code, json.loads(told)) == (0, {"bulk_id": made.id, "count": 2})


def test_archive(run: Run) -> None:
    (letter_id,) = die()
    assert run("dlq", "archive", str(letter_id))[0] == 0
    assert row(DeadLetter, letter_id).state == "archived"
    assert run("dlq", "archive", str(letter_id))[0] == 1
    assert run("dlq", "archive", "--all", "--json")[0] == 0


@pytest.mark.parametrize(
    "words", [(), ("1", "--all"), ("1", "--system", "crm"), ("--system", "crm"), ("x",)]
)
def test_a_selection_that_is_not_clear_is_refused(run: Run, words: tuple[str, ...]) -> None:
    (letter_id,) = die()
    for verb in ("retry", "archive"):
        assert run("dlq", verb, *words)[0] == 2
    assert row(DeadLetter, letter_id).state == "open"


def test_a_wrong_filter_is_refused(run: Run) -> None:
    assert run("dlq", "list", "--system", "x" * 100)[0] == 1


def test_cleanup(run: Run) -> None:
    old, _ = die(count=2)
    dead_letters.archive(old, by=SYSTEM, why=None, now=clock.now() - 91 * clock.DAY)
    words = ("integrations", "cleanup-dlq", "--archived", "--days", "90", "--json")
    told: Any = {"days": 90, "dry_run": True, "dead_letters": 1}
    assert json.loads(run(*words, "--dry-run")[1]) == told
    assert len(rows(DeadLetter)) == 2
    assert json.loads(run(*words)[1]) == {**told, "dry_run": False}
    assert len(rows(DeadLetter)) == 1
    assert run("integrations", "cleanup-dlq", "--days", "90")[0] == 2
