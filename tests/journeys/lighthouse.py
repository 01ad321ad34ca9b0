"""`make lighthouse`: the busiest pages in the middle of a bad day, each score at least 95."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.journeys.browsers import NAMES, launch_arguments
from tests.journeys.day import Day, bad_day
from tests.journeys.pages import filled

LEAST = 95
CATEGORIES = ("performance", "accessibility", "best-practices")
PAGES = ("/hoje", "/dlq", "/dashboard", "/incidentes/<incident_id>")
PROGRAM = Path(".lighthouse/node_modules/lighthouse/cli/index.js")
FLAGS = "--headless=new --no-sandbox --disable-gpu"
SECONDS = 180


def scores(day: Day, path: str, folder: Path) -> dict[str, int]:
    """What Lighthouse gives to a page that is seen by somebody who is signed in."""
    cookies = "; ".join(f"{each['name']}={each['value']}" for each in day.login["cookies"])
    report = folder / "report.json"
    command = [
        "node", str(PROGRAM), day.hub.url + path, "--quiet", "--output=json",
        f"--output-path={report}", f"--only-categories={','.join(CATEGORIES)}",
        f"--chrome-flags={FLAGS}", f"--extra-headers={json.dumps({'Cookie': cookies})}",
    ]  # fmt: skip
    chromium = next(filter(None, map(shutil.which, NAMES)), "")
    environ = os.environ | ({"CHROME_PATH": chromium} if chromium else {})
    subprocess.run(command, env=environ, check=True, timeout=SECONDS)
    found = json.loads(report.read_text())
    _explain(found)
    return {name: round(100 * found["categories"][name]["score"]) for name in CATEGORIES}


def _explain(found: dict[str, dict[str, dict[str, float | str | None]]]) -> None:
    """What cost points."""
    for audit in found["audits"].values():
        score = audit.get("score")
        if isinstance(score, int | float) and score < 0.9:
            print(f"    {audit['id']}: {score} {audit.get('displayValue', '')}")


def main() -> None:
    """Measure, print, fail when a score is too low."""
    low = []
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as name:
        browser = playwright.chromium.launch(**launch_arguments())
        with bad_day(Path(name), browser) as day:
            for path in PAGES:
                found = scores(day, filled(path, day.made), Path(name))
                print(path, *(f"{what} {score}" for what, score in found.items()), sep="  ")
                low += [f"{path} {what}" for what, score in found.items() if score < LEAST]
        browser.close()
    if low:
        sys.exit(f"below {LEAST}: {', '.join(low)}")


if __name__ == "__main__":
    main()
