"""`python -m chaos [ROW…]`: break things, print what held, exit with 1 when a promise broke.

Loopback only; it kills nothing but what it started. Under fifteen minutes on two cores: rows that
mostly wait run two at a time, each row in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import secrets
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bench.processes import ROOT
from chaos import results
from chaos.figures import BROKEN
from chaos.rows import ALONE, ROWS
from chaos.setting import Setting
from chaos.table import markdown

AT_ONCE = 2

Found = dict[str, Any]


def main(words: list[str]) -> int:
    """Run the rows asked for, all of them by default."""
    asked = _parser().parse_args(words)
    if asked.seed is None:
        asked.seed = secrets.randbelow(1_000_000)
        words = [*words, "--seed", str(asked.seed)]
    names = asked.rows or list(ROWS)
    if asked.one:
        print(json.dumps(_run(names[0], asked)))
        return 0
    print(f"seed {asked.seed}", file=sys.stderr, flush=True)
    rows = _run_all(names, asked)
    command = " ".join(["python -m chaos", *(word for word in words if word != "--keep")])
    found = results.result(rows, command, asked.seed, asked.database)
    path = results.save(found, asked.keep)
    print(f"{markdown(found)}\n\nwritten to {path}")
    return 1 if found["faults"] or any(_broken(row) for row in rows.values()) else 0


def _run_all(names: Sequence[str], asked: argparse.Namespace) -> dict[str, Found]:
    """First what needs the machine for itself, then the others, in the order of the table."""
    alone = [name for name in names if name in ALONE]
    others = [name for name in names if name not in ALONE]
    found = {name: _in_process(name, asked) for name in alone}
    with ThreadPoolExecutor(AT_ONCE) as lanes:
        told = lanes.map(lambda name: _in_process(name, asked), others)
        found |= dict(zip(others, told, strict=True))
    return {name: found[name] for name in names}


def _in_process(name: str, asked: argparse.Namespace) -> Found:
    """One row in a process of its own: what modules remember of one hub is not true of another."""
    words = [name, "--one", "--seed", str(asked.seed), "--database", asked.database]
    short = ["--short"] if asked.short else []
    command = [sys.executable, "-m", "chaos", *words, *short]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        return {"figures": [], "fault": f"its process ended with {done.returncode}"}
    found: Found = json.loads(done.stdout.splitlines()[-1])
    return found


def _run(name: str, asked: argparse.Namespace) -> Found:
    """One row; what goes wrong in it counts as broken."""
    started = time.monotonic()
    found: Found = {"figures": [], "fault": ""}
    try:
        with Setting(asked.seed, asked.short, asked.database) as setting:
            found["figures"] = [each.as_json(name) for each in ROWS[name](setting)]
    except Exception as problem:  # noqa: BLE001 - told in the table; the other rows go on
        text = " ".join(f"{type(problem).__name__}: {problem}".split())
        found["fault"] = f"{text[:200]} … {text[-200:]}" if len(text) > 400 else text
    broken = ", ".join(_broken(found))
    told = found["fault"] or (f"BROKEN: {broken}" if broken else "kept")
    print(f"{name}: {told} ({time.monotonic() - started:.0f} s)", file=sys.stderr, flush=True)
    return found


def _broken(found: Found) -> list[str]:
    return [each["what"] for each in found["figures"] if each["verdict"] == BROKEN]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("rows", nargs="*", choices=[*ROWS, []], metavar="ROW", help=" ".join(ROWS))
    parser.add_argument("--seed", type=int, help="draws every fault; printed when not given")
    parser.add_argument("--short", action="store_true", help="less of everything")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--keep", action="store_true", help="make this the documented result")
    # What the command starts for each row: the row here, its figures as one line of JSON.
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
