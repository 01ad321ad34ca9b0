"""A factory of supervisors that are gone when the test ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.house.running import Hub


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Callable[..., Hub]]:
    hubs: list[Hub] = []

    def start(lines: str, **environ: str) -> Hub:
        folder = tmp_path / str(len(hubs))
        folder.mkdir()
        hubs.append(Hub(folder, lines, **environ))
        return hubs[-1]

    yield start
    for started in hubs:
        started.clear_up()
