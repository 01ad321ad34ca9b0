"""One running hub for each fault test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.running import RunningHub
from tests.partners.client import Partners


@pytest.fixture
def patience() -> dict[str, str]:
    """Settings on top of the short ones; override it in a test file."""
    return {}


@pytest.fixture
def running(tmp_path: Path, partners: Partners, patience: dict[str, str]) -> Iterator[RunningHub]:
    hub = RunningHub(tmp_path, partners, **patience)
    yield hub
    hub.hub.clear_up()
