"""Fixtures: one partner process for each test process, as new for each test."""

from collections.abc import Iterator

import pytest

from tests.partners.client import Partners


@pytest.fixture(scope="session")
def partners_process() -> Iterator[Partners]:
    """The process, with a port of its own for each system."""
    with Partners.start(own_ports=True) as running:
        yield running


@pytest.fixture
def partners(partners_process: Partners) -> Iterator[Partners]:
    """The partners, all systems well and all books empty."""
    partners_process.reset()
    yield partners_process
    # What still hangs or streams must not wait for the next test.
    partners_process.reset()
