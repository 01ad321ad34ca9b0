"""A seeded hub for the tests of the delivery."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.deliveries.hub import Hub


@pytest.fixture
def hub(app: Flask, app_context: None) -> Hub:
    return Hub(app)
