"""`python -m bench [ROW…]`: measure, print the table, keep it on the disk.

Loopback only, everything it starts is ended; under ten minutes on two cores.
"""

from __future__ import annotations

import argparse
import sys
import time

from bench import results
from bench.figures import Figure
from bench.rows import ROWS
from bench.setting import Setting
from bench.table import markdown


def main(words: list[str]) -> int:
    """Run the rows asked for, all of them by default; 1 when one could not be measured."""
    asked = _parser().parse_args(words)
    figures: dict[str, list[Figure]] = {}
    faults: dict[str, str] = {}
    rounds = asked.rounds or (1 if asked.quick else 3)
    with Setting(rounds, asked.quick, asked.full, asked.database) as setting:
        for name in asked.rows or ROWS:
            _measure(name, setting, figures, faults)
    command = " ".join(["python -m bench", *(word for word in words if word != "--keep")])
    found = results.result(figures, faults, command, asked.database)
    path = results.save(found, asked.keep)
    print(f"{markdown(found)}\n\nwritten to {path}")
    return 1 if faults else 0


def _measure(
    name: str, setting: Setting, figures: dict[str, list[Figure]], faults: dict[str, str]
) -> None:
    """One row; what goes wrong in it is told in the table and stops no other row."""
    started = time.monotonic()
    try:
        figures[name] = ROWS[name](setting)
    except Exception as problem:  # noqa: BLE001 - told in the table; the other rows go on
        faults[name] = f"{type(problem).__name__}: {problem}".splitlines()[0][:200]
    words = faults.get(name, "done")
    print(f"{name}: {words} ({time.monotonic() - started:.0f} s)", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("rows", nargs="*", choices=[*ROWS, []], metavar="ROW", help=" ".join(ROWS))
    parser.add_argument("--quick", action="store_true", help="one round, a third of the work")
    parser.add_argument("--full", action="store_true", help="10 M rows, 100,000 dead letters")
    parser.add_argument("--rounds", type=int, help="interleaved rounds (3)")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--keep", action="store_true", help="make this the README's result")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
