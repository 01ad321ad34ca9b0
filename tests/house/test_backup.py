"""The whole database into a file while somebody writes, and back in an empty place."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from app import backup, config, create_app
from app.access.actions.api_keys import generate_api_key
from app.access.actor import SYSTEM
from app.access.models import ApiKey
from app.db import db, reading, transaction
from app.errors import Conflict, Invalid
from tests.postgres import Postgres


def test_holds_what_is_committed_and_nothing_else(
    any_database: str,
    app: Flask,
    app_context: None,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    generate_api_key(SYSTEM, "kept")
    file = tmp_path / "copy" / "hub.backup"
    file.parent.mkdir()
    with transaction() as tx:
        tx.connection.execute(ApiKey.__table__.update().values(name="never committed"))  # type: ignore[attr-defined]
        size = backup.backup(file)
        tx.connection.rollback()
    assert size == file.stat().st_size > 0
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(file.parent.iterdir()) == [file]
    url = ""
    if any_database:
        postgres: Postgres = request.getfixturevalue("postgres")
        url = postgres.url(postgres.new_database())
    place = tmp_path / "empty"
    place.mkdir()
    given = {"HUB_DATA_DIR": str(place), "DATABASE_URL": url, "REDIS_URL": "redis://127.0.0.1:1"}
    elsewhere = create_app(config.load(given))
    with elsewhere.app_context():
        backup.restore(file)
        with reading() as c:
            assert c.scalars(select(ApiKey.name)).all() == ["kept"]
        with pytest.raises(Conflict):
            backup.restore(file)
        db.engine.dispose()


def test_overwrites_nothing(app_context: None, tmp_path: Path) -> None:
    file = tmp_path / "hub.backup"
    file.write_text("something else")
    with pytest.raises(Conflict):
        backup.backup(file)
    assert file.read_text() == "something else"


def test_refuses_what_is_no_backup(tmp_path: Path) -> None:
    file = tmp_path / "hub.backup"
    file.write_text("something else")
    place = tmp_path / "empty"
    given = {"HUB_DATA_DIR": str(place), "REDIS_URL": "redis://127.0.0.1:1"}
    with create_app(config.load(given)).app_context():
        with pytest.raises(Invalid):
            backup.restore(file)
        with pytest.raises(Invalid):
            backup.restore(tmp_path / "missing")
    assert not (place / "hub.db").exists()
