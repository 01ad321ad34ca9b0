"""Clicks and seconds of each checklist and procedure, told at the end of the run."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Count = Callable[[str, int, float], None]
NAME = "journey"


@pytest.fixture
def counted(request: pytest.FixtureRequest) -> Count:
    """`counted(name, clicks, seconds)` keeps what a journey took."""

    def keep(name: str, clicks: int, seconds: float) -> None:
        line = f"{name}: {clicks} clicks, {seconds:.1f} s"
        request.node.user_properties.append((NAME, line))

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
