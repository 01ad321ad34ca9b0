"""flask events send: files of events, as they are typed on the server."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from app.events.cli import events

EVENT = {"event_type": "lead.created", "source_system": "site", "payload": {"n": 1}}
KEYED = [EVENT | {"idempotency_key": f"k-{n}"} for n in range(3)]
Stored = Callable[[], list[Any]]


@pytest.fixture
def send(seeded_app: Flask, tmp_path: Path) -> Callable[..., Result]:
    """`send(content, "--json")` writes the file and sends it."""

    def send(content: str, *options: str) -> Result:
        path = tmp_path / "events.json"
        path.write_text(content)
        runner = seeded_app.test_cli_runner()
        return runner.invoke(events, ["send", str(path), *options])

    return send


LINES = "\n\n".join(json.dumps(each) for each in KEYED)


@pytest.mark.parametrize(
    ("content", "count"),
    [(json.dumps(EVENT, indent=2), 1), (json.dumps(KEYED), 3), (LINES, 3), (LINES + "\n", 3)],
    ids=["object", "list", "lines", "last line ends"],
)
def test_a_file_is_stored(
    send: Callable[..., Result], stored: Stored, content: str, count: int
) -> None:
    done = send(content)
    assert done.exit_code == 0, done.output
    rows = stored()
    assert [each.event_type for each in rows] == ["lead.created"] * count
    assert rows[0].received_via.startswith("cli:")
    assert f"event {rows[0].id}" in done.output
    assert f"{count} good, 0 refused" in done.output


def test_more_than_a_batch_is_stored(send: Callable[..., Result], stored: Stored) -> None:
    assert send(json.dumps([EVENT] * 1_001)).exit_code == 0
    assert len(stored()) == 1_001


def test_sent_again_it_is_there_already(send: Callable[..., Result], stored: Stored) -> None:
    send(LINES)
    told = json.loads(send(LINES, "--json").output)
    assert [each["repeat"] for each in told] == [True] * 3
    assert len(stored()) == 3


def test_a_dry_run_stores_nothing(send: Callable[..., Result], stored: Stored) -> None:
    done = send(LINES, "--dry-run")
    assert (done.exit_code, stored()) == (0, [])
    assert "valid" in done.output


def test_what_is_refused_is_named_and_the_rest_stored(
    send: Callable[..., Result], stored: Stored
) -> None:
    send(json.dumps(KEYED[0]))
    clash = KEYED[0] | {"payload": {}}
    done = send(json.dumps([clash, EVENT | {"source_system": "erp"}, 7, EVENT]), "--json")
    assert done.exit_code == 1
    told = json.loads(done.output)
    assert [list(each)[1] for each in told] == ["error", "error", "error", "event_type"]
    assert "source_system" in told[1]["error"]
    assert len(stored()) == 2


@pytest.mark.parametrize(
    ("content", "named"),
    [("", "body"), ("{", "body"), (LINES + "\nnot json", "line 4"), ("[", "body")],
)
def test_what_is_no_json_is_refused_whole(
    send: Callable[..., Result], stored: Stored, content: str, named: str
) -> None:
    done = send(content)
    assert done.exit_code == 1
    assert named in done.output
    assert stored() == []
