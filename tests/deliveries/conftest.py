"""A seeded hub for the tests of the delivery, and what its statements cost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

from app.db import db
from tests.deliveries.hub import Hub


@pytest.fixture
def hub(app: Flask, app_context: None) -> Hub:
    return Hub(app)


@pytest.fixture
def steps() -> Iterator[list[int]]:
    """`steps[0]` grows by one with every hundred steps of SQLite's machine."""
    counted = [0]

    def count() -> int:
        counted[0] += 1
        return 0

    def watch(raw: Any, *_: Any) -> None:
        raw.set_progress_handler(count, 100)

    event.listen(db.engine, "checkout", watch)
    yield counted
    event.remove(db.engine, "checkout", watch)
