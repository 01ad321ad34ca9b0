"""Fixtures for all tests: settings, application, client, the named cast and their keys."""

from __future__ import annotations

import contextvars
import shutil
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import redis as redis_py
from flask import Flask
from flask.testing import FlaskClient

from app import clock, config, create_app
from app.db import db, transaction

pytest_plugins = ("tests.servers", "tests.partners.fixtures", "tests.journeys.counted")

hypothesis.settings.register_profile("hub", deadline=None)
hypothesis.settings.load_profile("hub")


class Client(FlaskClient):
    """Each request in a context of its own, even where the test stands in an app context."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        return contextvars.Context().run(super().open, *args, **kwargs)


@pytest.fixture
def environ() -> dict[str, str]:
    """Variables on top of the usual ones; override it in a test file to change settings."""
    return {}


@pytest.fixture
def settings(
    tmp_path: Path,
    database_url: str,
    redis: redis_py.Redis,
    redis_url: str,
    environ: dict[str, str],
    request: pytest.FixtureRequest,
) -> config.Settings:
    if not database_url:
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "hub.db")
    usual = {
        "HUB_DATA_DIR": str(tmp_path),
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "HUB_SECRET_KEY": "a key that only the tests know, 0123456789",
        "LIVE_POLL": "off",
    }
    return config.load({**usual, **environ})


@pytest.fixture
def app(settings: config.Settings) -> Iterator[Flask]:
    """The application on an empty database; push `app.app_context()` or ask for `app_context`."""
    app = create_app(settings)
    app.test_client_class = Client
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def app_context(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def login(app: Flask) -> Callable[..., Any]:
    """`login(client, level)` signs in one of the cast; forms of that client carry the token."""
    return import_module("tests.access.cast").Cast(app).login


@pytest.fixture
def api_key(app: Flask) -> Callable[..., str]:
    """`api_key("events:write", …)` makes a key and returns its text."""
    return import_module("tests.access.cast").Cast(app).api_key


@pytest.fixture
def seeded_app(app: Flask) -> Flask:
    """The application with what every installation has: systems, routes, mappings, breakers."""
    with app.app_context():
        settings = app.extensions["settings"]
        import_module("app.systems.seed").seed(settings, now=clock.now())
        import_module("app.mappings.seed").seed(now=clock.now())
        with transaction() as tx:
            import_module("app.systems.actions.breakers").ensure(tx, settings.systems)
    return app
