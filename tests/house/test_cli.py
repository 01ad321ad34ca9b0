"""Every command that the runbook names is there, says what it replaces, and ends as it should."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from flask import Flask
from sqlalchemy import delete, select, update

from app import clock, config, create_app, queues
from app.access.models import AuditEntry, User
from app.db import db, reading, transaction
from app.heartbeats import Heartbeat, beat
from app.systems.models import BreakerMove, BreakerRow

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(app: Flask) -> Run:
    """`run("workers", "status")`: exit code and what was printed."""

    def run(*words: str) -> tuple[int, str]:
        result = app.test_cli_runner().invoke(args=words)
        return result.exit_code, result.output

    return run


NAMED = [
    ("integrations generate-api-key", "integrations:generate-api-key"),
    ("integrations revoke-api-key", "integrations:revoke-api-key"),
    ("integrations cleanup", "integrations:cleanup --days"),
    ("integrations cleanup-dlq", "integrations:cleanup-dlq --archived"),
    ("integrations export-mappings", "integrations:export-mappings"),
    ("integrations import-mappings", "integrations:export-mappings"),
    ("integrations export-endpoints", "integrations:export-endpoints"),
    ("schedule run", "schedule:run --job=sync-crm-operacao"),
    ("workers status", "horizon:status"),
    ("workers restart", "supervisorctl restart"),
    ("dlq list", "/api/dlq"),
    ("dlq show", "/api/dlq/{id}"),
    ("dlq retry", "/api/dlq/{id}/retry"),
    ("dlq archive", "/api/dlq/{id}/archive"),
    ("breakers list", "/circuit-breakers"),
    ("breakers reset", "/circuit-breakers/crm/reset"),
]


@pytest.mark.parametrize(("words", "old"), NAMED)
def test_the_help_names_the_old_command(run: Run, words: str, old: str) -> None:
    code, told = run(*words.split(), "--help")
    assert (code, old in " ".join(told.split())) == (0, True)


def every_command(app: Flask) -> Iterator[tuple[str, click.Command]]:
    for group in app.cli.commands.values():
        if isinstance(group, click.Group):
            yield from ((f"{group.name} {name}", one) for name, one in group.commands.items())


def test_every_command_prints_json_and_what_deletes_can_be_tried(app: Flask) -> None:
    # `set-password` prints nothing that a program could want.
    for name, command in every_command(app):
        options = {option for parameter in command.params for option in parameter.opts}
        assert "--json" in options or name == "integrations set-password", name
        assert "--dry-run" in options or "cleanup" not in name, name


def test_prepare_tells_the_first_password_once(settings: config.Settings, tmp_path: Path) -> None:
    fresh = settings.model_copy(update={"data_dir": tmp_path / "new", "database_url": ""})
    app = create_app(fresh)
    first = app.test_cli_runner().invoke(args=["prepare"])
    assert (first.exit_code, first.output.startswith(f"{fresh.admin_email} / ")) == (0, True)
    again = app.test_cli_runner().invoke(args=["prepare"])
    assert (again.exit_code, again.output) == (0, "")
    with app.app_context():
        with reading() as c:
            assert len(c.execute(select(User.id)).all()) == 1
        db.engine.dispose()


def test_workers_status_names_what_is_missing(app: Flask, run: Run) -> None:
    code, told = run("workers", "status", "--json")
    assert (code, len(json.loads(told)["missing"])) == (1, 6)
    with app.app_context():
        for queue in queues.QUEUES:
            beat(f"worker:{queue}", "")
        beat("scheduler", "")
    code, told = run("workers", "status")
    assert (code, f"pid {os.getpid()}" in told) == (0, True)
    with app.app_context(), transaction() as tx:
        tx.connection.execute(update(Heartbeat).values(beat_at=clock.now() - clock.MINUTE))
    assert run("workers", "status")[0] == 1


SUPERVISOR = """
import fcntl, os, signal, sys
file = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT, 0o600)
fcntl.flock(file, fcntl.LOCK_EX)
os.pwrite(file, f"{os.getpid()}\\n".encode(), 0)
signal.signal(signal.SIGHUP, lambda *_: (print("renewed", flush=True), sys.exit(0)))
print("ready", flush=True)
signal.pause()
"""


def test_workers_restart_asks_the_supervisor(run: Run, settings: config.Settings) -> None:
    mark = settings.data_dir / "supervisor.pid"
    command = [sys.executable, "-c", SUPERVISOR, str(mark)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        code, told = run("workers", "restart", "--json")
        assert (code, json.loads(told)) == (0, {"supervisor": process.pid})
        assert process.stdout.readline() == "renewed\n"
    assert process.returncode == 0


def test_workers_restart_without_a_supervisor(run: Run, settings: config.Settings) -> None:
    assert run("workers", "restart")[0] == 1
    # A number left behind is not somebody's process to be signalled.
    (settings.data_dir / "supervisor.pid").write_text(f"{os.getpid()}\n")
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    assert run("workers", "restart")[0] == 1
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    with (settings.data_dir / "supervisor.pid").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_schedule_list_and_run(run: Run) -> None:
    names = [row["job"] for row in json.loads(run("schedule", "list", "--json")[1])]
    assert "cleanup" in names
    assert run("schedule", "run", "--job=cleanup")[0] == 0
    code, told = run("schedule", "run", "--job=no-such-job")
    assert (code, "known: " in told, "cleanup" in told) == (1, True, True)


def test_breakers_list_and_reset(seeded_app: Flask, run: Run) -> None:
    with seeded_app.app_context(), transaction() as tx:
        opened = update(BreakerRow).where(BreakerRow.system == "crm")
        tx.connection.execute(opened.values(state="open", failures=5, opened_at=clock.now()))
    listed = {row["system"]: row for row in json.loads(run("breakers", "list", "--json")[1])}
    assert (listed["crm"]["state"], listed["site"]["state"]) == ("open", "closed")
    assert run("breakers", "reset", "crm", "--why", "voltou")[0] == 0
    with seeded_app.app_context(), reading() as c:
        row = c.execute(select(BreakerRow.__table__).where(BreakerRow.system == "crm")).one()
        assert (row.state, row.failures, row.closed_at is not None) == ("closed", 0, True)
        (move,) = c.execute(select(BreakerMove.__table__))
        assert (move.before, move.after, move.cause) == ("open", "closed", "voltou")
        (entry,) = c.execute(
            select(AuditEntry.__table__).where(AuditEntry.action == "breaker.reset")
        )
        assert (entry.target, entry.why) == ("breaker:crm", "voltou")


def test_an_unknown_breaker_is_refused_with_the_known_ones(seeded_app: Flask, run: Run) -> None:
    code, told = run("breakers", "reset", "nope")
    assert (code, "Invalid service" in told, "financeiro" in told) == (1, True, True)


def test_cleanup_of_events(run: Run) -> None:
    words = ("integrations", "cleanup", "--days", "30", "--json")
    told = {"days": 30, "dry_run": True, "events": 0}
    assert json.loads(run(*words, "--dry-run")[1]) == told
    assert json.loads(run(*words)[1]) == {**told, "dry_run": False}


def test_without_systems_there_are_no_breakers(app: Flask, run: Run) -> None:
    with app.app_context(), transaction() as tx:
        tx.connection.execute(delete(BreakerRow))
    assert run("breakers", "list", "--json") == (0, "[]\n")
