"""Read a Procfile and decide how many processes each of its lines gets."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from string import Template

# The line that runs once, to its end, before the others start (as on the platforms that know it).
RELEASE = "release"
WEB = "web"
SCHEDULER = "scheduler"
MOST_PROCESSES = 8
_LINE = re.compile(r"([A-Za-z0-9_-]+):\s*(\S.*)")


class ProcfileError(Exception):
    """A Procfile or a scale that cannot be followed; the text says which part."""


def parse(text: str) -> dict[str, str]:
    """Lines `name: command` in their order; empty lines and `#` comments are left out."""
    commands: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None or match[1] in commands:
            raise ProcfileError(f"line {number} is not a new `name: command`: {line.strip()}")
        commands[match[1]] = match[2]
    return commands


def read(paths: Iterable[Path]) -> dict[str, str]:
    """The lines of one or more Procfiles together."""
    return parse("\n".join(path.read_text(encoding="utf-8") for path in paths))


def words(command: str, environ: Mapping[str, str]) -> list[str]:
    """The command line as words, `$NAME` filled in; no shell, so that signals reach the program."""
    try:
        found = [Template(word).substitute(environ) for word in shlex.split(command)]
    except (KeyError, ValueError) as problem:
        raise ProcfileError(f"cannot read `{command}`: {problem}") from None
    return [sys.executable, *found[1:]] if found[0] in ("python", "python3") else found


def scale(text: str, names: Iterable[str]) -> dict[str, int]:
    """Processes per line from `high=2,default=1`; a line not named gets one."""
    counts = dict.fromkeys(names, 1)
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, count = part.partition("=")
        if name not in counts or name == WEB or not count.isdecimal():
            raise ProcfileError(f"HUB_WORKERS: `{part}` is not `line=number` of a worker line")
        counts[name] = min(int(count), MOST_PROCESSES)
    return counts


def rescale(file: Path, counts: Mapping[str, int]) -> dict[str, int]:
    """`counts` with what scale.json asks for; a missing or damaged file changes nothing."""
    try:
        asked = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return dict(counts)
    known = asked.items() if isinstance(asked, dict) else ()
    return dict(counts) | {
        name: max(0, min(count, MOST_PROCESSES))
        for name, count in known
        if name in counts and name != WEB and type(count) is int
    }
