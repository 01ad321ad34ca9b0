"""A hub that is well: systems seeded, breakers closed, every process heard of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert

from app import clock, queues
from app.db import transaction
from app.heartbeats import Heartbeat
from app.systems.actions import breakers
from app.systems.seed import seed

KINDS = ("scheduler", *(f"worker:{queue}" for queue in queues.QUEUES))


@pytest.fixture
def well(app: Flask) -> Iterator[Flask]:
    """The application, in its context."""
    with app.app_context():
        settings = app.extensions["settings"]
        seed(settings, now=clock.now())
        with transaction() as tx:
            breakers.ensure(tx, settings.systems)
            tx.connection.execute(
                insert(Heartbeat),
                [
                    {"name": kind, "kind": kind, "host": "here", "pid": 1, "started_at": 0,
                     "beat_at": clock.now(), "doing": ""}
                    for kind in KINDS
                ],
            )  # fmt: skip
        yield app


@pytest.fixture
def get(well: Flask, client: FlaskClient) -> Callable[..., Any]:
    """`get("/status")` as curl on the same machine does: the JSON, once the status is right."""

    def get(path: str, status: int = 200) -> Any:
        response = client.get(path)
        assert response.status_code == status, response.text
        return response.get_json()

    return get
