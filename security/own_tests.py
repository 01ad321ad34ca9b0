"""The project's own tests of the threats, run once, with a verdict for each threat."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import suppress
from pathlib import Path
from xml.etree import ElementTree as ET

from security.threats import THREATS

ROOT = Path(__file__).parents[1]
LONGEST_SECONDS = 900


def run(processes: int) -> dict[str, str]:
    """The verdict on each threat: `held (n tests)` or `BROKEN (…)`."""
    files = sorted({test for threat in THREATS for test in threat.tests})
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        words = [*files, "-q", "-n", str(processes), "--dist", "worksteal", f"--junitxml={report}"]
        # Cut off, they have written no report: every threat is then told as broken.
        with suppress(subprocess.TimeoutExpired):
            subprocess.run(
                [sys.executable, "-m", "pytest", *words], cwd=ROOT, timeout=LONGEST_SECONDS
            )
        good, bad = _counts(report) if report.exists() else (Counter[str](), Counter[str]())
    return {threat.name: _verdict(threat.tests, good, bad) for threat in THREATS}


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
