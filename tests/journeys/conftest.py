"""A real browser before the whole hub with its partners; every page is watched for errors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.faults.running import RunningHub
from tests.journeys.browsers import launch_arguments
from tests.journeys.complaints import Complaints
from tests.journeys.day import Day, bad_day
from tests.journeys.doors import PASSWORD, sign_in
from tests.partners.client import Partners

expect.set_options(timeout=15_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """The Chromium of the machine where there is one, else Playwright's own."""
    return {**browser_type_launch_args, **launch_arguments()}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_context_args, "locale": "pt-BR", "timezone_id": "America/Sao_Paulo"}


@pytest.fixture
def patience() -> dict[str, str]:
    """Settings of the hub on top of the short ones; override it in a test file."""
    return {}


@pytest.fixture
def hub(tmp_path: Path, partners: Partners, patience: dict[str, str]) -> Iterator[RunningHub]:
    running = RunningHub(tmp_path, partners, HUB_ADMIN_PASSWORD=PASSWORD, **patience)
    yield running
    running.hub.clear_up()


@pytest.fixture
def complaints(context: BrowserContext) -> Iterator[Complaints]:
    """Fails the test that leaves an error in the console."""
    found = Complaints(context)
    yield found
    assert found.texts == []


@pytest.fixture
def desk(hub: RunningHub, page: Page, complaints: Complaints) -> Page:
    """The page of Gil, the manager, signed in."""
    sign_in(page, hub)
    expect(page.get_by_role("navigation").first).to_be_visible()
    return page


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Day]:
    """A hub in the middle of a bad day, for all tests of a file.

    It takes half a minute, and each process that runs tests of the file makes its own (`make test`
    hands out whole files).
    """
    with bad_day(tmp_path_factory.mktemp("day"), browser) as found:
        yield found
