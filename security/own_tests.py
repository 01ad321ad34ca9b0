"""The project's own tests of the threats, run once, with a verdict for each threat."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import suppress
from pathlib import Path
from xml.etree import ElementTree as ET

from app import clock
from security.threats import THREATS

ROOT = Path(__file__).parents[1]
LONGEST_SECONDS = 900
# Apart, as in `make test`: Playwright leaves a loop running, beside which no other can be run.
PARTS = ("not browser", "browser")


def run(processes: int) -> dict[str, str]:
    """The verdict on each threat: `held (n tests)` or `BROKEN (…)`."""
    good, bad = Counter[str](), Counter[str]()
    end = clock.monotonic() + LONGEST_SECONDS
    for part in PARTS:
        passed, failed = _run(part, processes, end - clock.monotonic())
        good, bad = good + passed, bad + failed
    return {threat.name: _verdict(threat.tests, good, bad) for threat in THREATS}


def _run(part: str, processes: int, seconds: float) -> tuple[Counter[str], Counter[str]]:
    """How many tests of each file passed and how many did not."""
    files = sorted({test for threat in THREATS for test in threat.tests})
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        words = [*files, "-m", part, "-q", "-n", str(processes), "--dist", "worksteal"]
        # Cut off, they have written no report: their threats are then told as broken.
        with suppress(subprocess.TimeoutExpired):
            subprocess.run(
                [sys.executable, "-m", "pytest", *words, f"--junitxml={report}"],
                cwd=ROOT,
                timeout=seconds,
            )
        return _counts(report) if report.exists() else (Counter[str](), Counter[str]())


def _counts(report: Path) -> tuple[Counter[str], Counter[str]]:
    """How many tests of each file passed and how many did not."""
    good: Counter[str] = Counter()
    bad: Counter[str] = Counter()
    # The report is our own.
    for case in ET.parse(report).iter("testcase"):
        file = case.get("classname", "").replace(".", "/") + ".py"
        (bad if case.find("failure") is not None or case.find("error") is not None else good)[
            file
        ] += 1
    return good, bad


def _verdict(tests: tuple[str, ...], good: Counter[str], bad: Counter[str]) -> str:
    broken = sum(bad[test] for test in tests)
    silent = [test for test in tests if not good[test] + bad[test]]
    if broken or silent:
        return f"**BROKEN** ({broken} failed, {len(silent)} files without a test)"
    return f"held ({sum(good[test] for test in tests)} tests)"
