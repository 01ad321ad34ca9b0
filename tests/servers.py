"""The servers behind the tests: databases filled once and copied, a Redis per test process."""

from __future__ import annotations

import subprocess
import tempfile
import threading
from collections import deque
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
import redis as redis_py
from flask import Flask

from app import config, create_app, embedded_redis
from app.db import IdBlock, db
from tests.postgres import Postgres


def _bare_app(url: str, folder: Path) -> Flask:
    redis_url = embedded_redis.url(folder)
    environ = {"HUB_DATA_DIR": str(folder), "DATABASE_URL": url, "REDIS_URL": redis_url}
    return create_app(config.load(environ))


def _fill(url: str, folder: Path) -> None:
    """Make the schema, with all models there are and the identifiers that intake takes."""
    for path in Path(config.__file__).parent.glob("*/models*"):
        import_module(f"app.{path.parent.name}.{path.stem}")
    app = _bare_app(url, folder)
    with app.app_context():
        db.create_all()
        db.session.add_all(IdBlock(name=name, next_id=1) for name in ("events", "deliveries"))
        db.session.commit()
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template")
    _fill("", folder)
    return folder / "hub.db"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    instance = Postgres()
    yield instance
    instance.stop()


@pytest.fixture(scope="session")
def postgres_template(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> str:
    name = postgres.new_database()
    _fill(postgres.url(name), tmp_path_factory.mktemp("template"))
    return name


@pytest.fixture
def postgres_url(postgres: Postgres, postgres_template: str) -> Iterator[str]:
    """A fresh PostgreSQL database with the schema; `settings` of the same test uses it."""
    name = postgres.new_database(postgres_template)
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def any_database(request: pytest.FixtureRequest) -> str:
    """The test runs once per kind of database; '' is SQLite in the data folder."""
    return str(request.getfixturevalue("postgres_url")) if request.param == "postgresql" else ""


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    wanted = next((n for n in ("any_database", "postgres_url") if n in request.fixturenames), None)
    return str(request.getfixturevalue(wanted)) if wanted else ""


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A Redis of this test process alone."""
    with tempfile.TemporaryDirectory(prefix="hub-redis-") as folder:
        command = embedded_redis.command(Path(folder))
        command += ["--appendonly", "no", "--loglevel", "notice"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert server.stdout is not None
        assert any(b"Ready to accept connections" in line for line in server.stdout)
        # Read on: a server whose log pipe is full stops answering.
        threading.Thread(target=deque, args=(server.stdout, 0), daemon=True).start()
        yield embedded_redis.url(Path(folder))
        server.kill()
        server.wait()


@pytest.fixture
def redis(redis_url: str) -> Iterator[redis_py.Redis]:
    """An empty Redis; the same one that the application of the test uses."""
    with redis_py.Redis.from_url(redis_url) as client:
        client.flushall()
        yield client
