"""A real browser before the whole hub with its partners; every page is watched for errors."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, expect

from tests.faults.running import RunningHub
from tests.partners.client import Partners

PASSWORD = "uma senha longa de gestora 42"
FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

expect.set_options(timeout=15_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """The Chromium of the machine where there is one, else Playwright's own."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    sandbox = ("--no-sandbox",) if os.geteuid() == 0 else ()
    return {**browser_type_launch_args, "executable_path": found, "args": [*FLAGS, *sandbox]}


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


class Complaints:
    """What a browser complained about: console errors and violations of the policy."""

    def __init__(self, context: BrowserContext) -> None:
        self.texts: list[str] = []
        context.on("console", self._note)
        context.on("weberror", lambda error: self.texts.append(str(error.error)))

    def _note(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.texts.append(f"{message.text} ({message.page.url if message.page else ''})")


@pytest.fixture
def complaints(context: BrowserContext) -> Iterator[Complaints]:
    """Fails the test that leaves an error in the console."""
    found = Complaints(context)
    yield found
    assert found.texts == []


@pytest.fixture
def desk(hub: RunningHub, page: Page, complaints: Complaints) -> Page:
    """The page of Gil, the manager, signed in."""
    page.goto(f"{hub.url}/login")
    page.get_by_label("E-mail").fill("gestao@carinho.com.vc")
    page.get_by_label("Senha").fill(PASSWORD)
    page.get_by_role("button", name="Entrar").click()
    expect(page.get_by_role("navigation").first).to_be_visible()
    return page
