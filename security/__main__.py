"""`python -m security [PART…]`: the own tests of each threat, then the scanners, as two tables.

Loopback only; the hub that is attacked is started for it. Exit with 1 where a threat came through
or a scanner found what nobody has explained.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from security import own_tests, threats
from security.explained import unexplained
from security.scanners import SCANNERS, Report
from security.target import Target, started

PARTS = ("tests", *SCANNERS)


def main(words: list[str]) -> int:
    """Run the parts asked for, all of them by default."""
    parser = argparse.ArgumentParser(prog="python -m security", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], metavar="PART")
    parser.add_argument("--processes", type=int, default=2, help="for the tests")
    asked = parser.parse_args(words)
    parts = asked.parts or PARTS
    bad = False
    if "tests" in parts:
        verdicts = own_tests.run(asked.processes)
        print(f"\n{threats.table(verdicts)}\n", flush=True)
        bad = any("BROKEN" in verdict for verdict in verdicts.values())
    chosen = [name for name in SCANNERS if name in parts]
    return int(_scan(chosen) or bad) if chosen else int(bad)


def _scan(names: list[str]) -> bool:
    """Attack a started hub; whether something is left unexplained."""
    lines, bad = (
        ["| Scanner | Looked at | Findings | Unexplained | Seconds |", "|---|---|---|---|---|"],
        [],
    )
    with tempfile.TemporaryDirectory(prefix="hub-security-") as folder:
        place = Path(folder)
        (place / "hub").mkdir()
        with started(place / "hub") as target:
            for name in names:
                line, left = _one(name, target, place)
                lines.append(line)
                bad += [f"{name}: {text}" for text in left]
            bad += [f"hub: {line[:300]}" for line in target.complaints()]
    print("\n".join(lines))
    print("\n".join(["", "Unexplained:", *(f"- {text}" for text in bad or ["nothing"])]))
    return bool(bad)


def _one(name: str, target: Target, place: Path) -> tuple[str, list[str]]:
    """One scanner: its line of the table, and what is unexplained."""
    (place / name).mkdir()
    began = time.monotonic()
    report: Report = SCANNERS[name](target, place / name)
    left = unexplained(name, report.findings)
    took = f"{time.monotonic() - began:.0f}"
    print(f"{name}: {len(report.findings)} findings in {took} s", file=sys.stderr, flush=True)
    cells = (name, report.looked_at, str(len(report.findings)), str(len(left)), took)
    return f"| {' | '.join(cells)} |", left


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
