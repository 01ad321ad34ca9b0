"""A hub whose systems are the partners."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.partners.client import Partners
from tests.syncs.world import World


@pytest.fixture
def environ(partners: Partners) -> dict[str, str]:
    return {
        **partners.environment(),
        "HUB_ALLOWED_NETWORKS": "127.0.0.0/8",
        "CARINHO_CRM_API_KEY": "the key of the crm",
        "RETRY_BASE_DELAY": "0.05",
        "CIRCUIT_BREAKER_TIMEOUT": "0.2",
        # A run counts a late answer as a failure until it is there: none is late on a busy machine.
        "CALL_TIMEOUT": "100",
        "CALL_CONNECT_TIMEOUT": "50",
    }


@pytest.fixture
def world(app: Flask, app_context: None, partners: Partners) -> Iterator[World]:
    made = World(app, partners)
    yield made
    made.close()
