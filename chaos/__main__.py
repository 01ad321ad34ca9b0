"""`python -m chaos [ROW…]`: break things, print what held, exit with 1 when a promise broke.

Loopback only; it kills nothing but what it started. Under fifteen minutes on two cores.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import time

from chaos import results
from chaos.figures import BROKEN, Figure
from chaos.rows import ROWS
from chaos.setting import Setting
from chaos.table import markdown


def main(words: list[str]) -> int:
    """Run the rows asked for, all of them by default."""
    asked = _parser().parse_args(words)
    seed = secrets.randbelow(1_000_000) if asked.seed is None else asked.seed
    print(f"seed {seed}", file=sys.stderr, flush=True)
    figures: dict[str, list[Figure]] = {}
    faults: dict[str, str] = {}
    with Setting(seed, asked.short, asked.database) as setting:
        for name in asked.rows or ROWS:
            _run(name, setting, figures, faults)
    told = [word for word in words if word != "--keep"]
    given = [] if asked.seed is not None else [f"--seed {seed}"]
    command = " ".join(["python -m chaos", *told, *given])
    found = results.result(figures, faults, command, seed, asked.database)
    path = results.save(found, asked.keep)
    print(f"{markdown(found)}\n\nwritten to {path}")
    broken = any(each.verdict() == BROKEN for all_ in figures.values() for each in all_)
    return 1 if faults or broken else 0


def _run(
    name: str, setting: Setting, figures: dict[str, list[Figure]], faults: dict[str, str]
) -> None:
    """One row; what goes wrong in it counts as broken and stops no other row."""
    started = time.monotonic()
    try:
        figures[name] = ROWS[name](setting)
        broken = [each.what for each in figures[name] if each.verdict() == BROKEN]
        words = f"BROKEN: {', '.join(broken)}" if broken else "kept"
    except Exception as problem:  # noqa: BLE001 - told in the table; the other rows go on
        text = " ".join(f"{type(problem).__name__}: {problem}".split())
        words = faults[name] = f"{text[:200]} … {text[-200:]}" if len(text) > 400 else text
    finally:
        setting.end_row()
    print(f"{name}: {words} ({time.monotonic() - started:.0f} s)", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("rows", nargs="*", choices=[*ROWS, []], metavar="ROW", help=" ".join(ROWS))
    parser.add_argument("--seed", type=int, help="draws every fault; printed when not given")
    parser.add_argument("--short", action="store_true", help="less of everything")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--keep", action="store_true", help="make this the documented result")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
