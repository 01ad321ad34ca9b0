"""The nine systems, seeded, and a key that may change endpoints."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import clock
from app.systems.seed import seed


@pytest.fixture
def seeded(app: Flask) -> Iterator[Flask]:
    """The application, in its context, with the nine systems."""
    with app.app_context():
        seed(app.extensions["settings"], now=clock.now())
        yield app


@pytest.fixture
def call(
    seeded: Flask, client: FlaskClient, api_key: Callable[..., str]
) -> Callable[..., tuple[int, Any]]:
    """`call("GET", "/7")` below /api/endpoints with a full key: status and JSON."""
    key = api_key("*")

    def call(method: str, path: str = "", **options: Any) -> tuple[int, Any]:
        url = f"/api/endpoints{path}"
        answer = client.open(url, method=method, headers={"X-API-Key": key}, **options)
        return answer.status_code, answer.get_json()

    return call
