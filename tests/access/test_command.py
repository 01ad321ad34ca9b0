"""The commands for keys and people, and the keys they make."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click import Command
from click.testing import Result
from flask import Flask
from sqlalchemy import select, update

from app.access import cli
from app.access.actions.api_keys import generate_api_key, revoke_api_key, touch_api_key
from app.access.actions.logins import authenticate
from app.access.actor import SYSTEM
from app.access.models import ApiKey, AuditEntry
from app.access.queries import owner_of, verify_chain
from app.db import db, transaction
from app.errors import Conflict, Invalid, NotFound
from tests.access.cast import ADDRESS, PASSWORD, Cast, email


@pytest.fixture
def run(app: Flask) -> Any:
    def run(command: Command, *words: str) -> Result:
        return app.test_cli_runner().invoke(command, words)

    return run


def test_a_key_is_made_and_shown_once(app: Flask, run: Any) -> None:
    result = run(cli.generate_api_key, "--name", "Sistema X")
    assert result.exit_code == 0
    key = result.output.split()[-1]
    with app.app_context():
        row = db.session.scalars(select(ApiKey)).one()
        found = owner_of(key)
        assert found is not None
        assert found.actor.name == "Sistema X"
        assert key.startswith(row.prefix)
        assert key not in str(vars(row))
        entry = db.session.scalars(select(AuditEntry)).one()
        assert entry.actor_name.startswith("terminal (")
        assert key not in str(entry.after_json)
    assert key not in run(cli.list_api_keys).output
    assert key not in run(cli.list_api_keys, "--json").output


def test_a_key_as_json(run: Any) -> None:
    words = ("--name", "Sistema X", "--scopes", "events:write, dlq:*", "--expires-days", "90")
    told = json.loads(run(cli.generate_api_key, *words, "--json").output)
    assert told["scopes"] == ["events:write", "dlq:*"]
    assert told["key"].startswith("carinho_")
    assert told["expires_at"].endswith("Z")
    listed = json.loads(run(cli.list_api_keys, "--json").output)
    assert [(key["id"], key["status"]) for key in listed] == [(told["id"], "active")]


def test_help_names_the_old_commands(run: Any) -> None:
    told = run(cli.generate_api_key, "--help").output
    assert 'php artisan integrations:generate-api-key --name="Sistema X"' in told
    told = run(cli.revoke_api_key, "--help").output
    assert "php artisan integrations:revoke-api-key --id=123" in told


def test_a_key_is_revoked(run: Any) -> None:
    run(cli.generate_api_key, "--name", "Sistema X")
    assert run(cli.revoke_api_key, "--id", "1", "--why", "rotação").exit_code == 0
    assert "revoked" in run(cli.list_api_keys).output
    again = run(cli.revoke_api_key, "--id", "1")
    assert (again.exit_code, "already revoked" in again.output) == (1, True)
    assert run(cli.revoke_api_key, "--id", "9").exit_code == 1


@pytest.mark.parametrize(
    "words",
    [
        ("--name", ""),
        ("--name", "x" * 121),
        ("--name", "X", "--scopes", "everything"),
        ("--name", "X", "--scopes", ","),
        ("--name", "X", "--expires-days", "0"),
        (),
    ],
)
def test_a_bad_key_is_refused(app: Flask, run: Any, words: tuple[str, ...]) -> None:
    assert run(cli.generate_api_key, *words).exit_code != 0
    with app.app_context():
        assert verify_chain().entries == 0


@pytest.mark.usefixtures("any_database", "app_context")
def test_revoking_works_on_each_database() -> None:
    made = generate_api_key(SYSTEM, "Sistema X", ["events:write"])
    assert owner_of(made.key, ADDRESS) is not None
    revoke_api_key(SYSTEM, made.id, "rotação")
    assert owner_of(made.key) is None
    with pytest.raises(Conflict):
        revoke_api_key(SYSTEM, made.id)
    with pytest.raises(NotFound):
        revoke_api_key(SYSTEM, 99)
    assert verify_chain().entries == 2


@pytest.mark.usefixtures("app_context")
def test_a_key_cannot_end_before_it_begins() -> None:
    with pytest.raises(Invalid):
        generate_api_key(SYSTEM, "Sistema X", ["*"], 1)


@pytest.mark.usefixtures("app_context")
@pytest.mark.parametrize(("noted", "moves"), [(None, True), (0, True), (10**15, True)])
def test_the_last_use_is_noted(noted: int | None, moves: bool) -> None:
    made = generate_api_key(SYSTEM, "Sistema X")
    with transaction() as tx:
        tx.connection.execute(update(ApiKey).values(last_used_at=noted))
    touch_api_key(made.id)
    found = owner_of(made.key)
    assert found is not None
    assert (found.last_used_at != noted) is moves
    first = found.last_used_at
    touch_api_key(made.id)
    assert owner_of(made.key).last_used_at == first  # type: ignore[union-attr]


def test_a_person_is_added(app: Flask, run: Any) -> None:
    words = ("--email", "Bia@carinho.com.vc", "--name", "Bia", "--password", PASSWORD)
    told = json.loads(run(cli.create_user, *words, "--level", "2", "--json").output)
    assert told["email"] == "bia@carinho.com.vc"
    with app.app_context():
        assert authenticate("bia@carinho.com.vc", PASSWORD, ADDRESS).level == 2
    again = run(cli.create_user, *words)
    assert (again.exit_code, "Já existe" in again.output) == (1, True)


def test_a_password_is_set(app: Flask, run: Any) -> None:
    Cast(app).person(1)
    new = "outra senha bem longa"
    assert run(cli.set_password, "--email", email(1), "--password", new).exit_code == 0
    with app.app_context():
        assert authenticate(email(1), new, ADDRESS).name == "Ana"
    assert run(cli.set_password, "--email", email(1), "--password", "x").exit_code == 1
    assert run(cli.set_password, "--email", "x@y.z", "--password", new).exit_code == 1
