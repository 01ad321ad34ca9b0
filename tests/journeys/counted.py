"""Clicks and seconds of each checklist and procedure, told at the end of the run."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from app import clock

if TYPE_CHECKING:
    # This is loaded for every test; most of them need no browser.
    from playwright.sync_api import Locator, Page

NAME = "journey"
# Of each checklist and each procedure, from where its work begins to where it is over.
MOST_CLICKS = 6


class Hand:
    """A hand at a page: clicks and counts them, from now on."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.clicks = 0
        self.began = clock.monotonic()

    def click(self, what: Locator) -> None:
        """One more, when the page has its scripts: before that, forms work as without them."""
        self.page.wait_for_load_state()
        self.clicks += 1
        what.click()


Count = Callable[[str, Hand], None]


@pytest.fixture
def counted(request: pytest.FixtureRequest) -> Count:
    """`counted(name, hand)` keeps what a journey took, and minds that it is not too much."""

    def keep(name: str, hand: Hand) -> None:
        line = f"{name}: {hand.clicks} clicks, {clock.monotonic() - hand.began:.1f} s"
        request.node.user_properties.append((NAME, line))
        assert hand.clicks <= MOST_CLICKS, line

    return keep


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The lines of all processes, if there are any."""
    reports = [each for found in terminalreporter.stats.values() for each in found]
    lines = {
        value
        for report in reports
        if getattr(report, "when", "") == "call"
        for name, value in report.user_properties
        if name == NAME
    }
    if lines:
        terminalreporter.section("journeys")
    for line in sorted(lines):
        terminalreporter.write_line(line)
