"""The plan of the house holds: who may know whom, who asks the time, who speaks to the outside."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from flask import Flask

ROOT = Path(__file__).parents[2]
DOMAINS = (
    "access",
    "systems",
    "events",
    "mappings",
    "deliveries",
    "messages",
    "automations",
    "syncs",
    "monitoring",
    "runbook",
    "openapi",
)
# The composition root puts the domains together and therefore knows them.
ROOT_ROOMS = {"app/__init__.py", "app/schema.py", "app/cli.py"}
NEVER = {"utils", "util", "helpers", "helper", "services", "service", "manager", "managers"}
DECIDING, DOING, DOORS = {"models", "rules"}, {"queries", "actions"}, {"routes", "jobs", "cli"}
IMPURE = {
    "flask", "sqlalchemy", "redis", "rq", "requests", "aiohappyeyeballs", "httptools", "urllib3",
    "socket", "http",
}  # fmt: skip
IMPURE_ROOMS = {"app.db", "app.web", "app.counters", "app.heartbeats", "app.slots"}
TIME = {
    "time": {"time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "localtime", "gmtime"},
    "datetime": {"now", "utcnow", "today"},
    "date": {"today"},
    "clock": {"now", "monotonic"},
}
# Whoever speaks to the outside, and with what.
OUTGOING = {
    "aiohappyeyeballs", "httptools", "aiohttp", "requests", "urllib3", "httpx", "pycurl",
    "http.client", "smtplib",
}  # fmt: skip
SPEAKERS = {
    "app/deliveries/http/reach.py": {"aiohappyeyeballs"},
    "app/deliveries/http/reply.py": {"httptools"},
    "app/systems/calls/__init__.py": {"requests", "urllib3", "http.client"},
    "app/systems/calls/connection.py": {"requests", "urllib3"},
    "app/messages/actions/send_email.py": {"smtplib"},
}
LONGEST_FILE, LONGEST_FUNCTION = 300, 30


def _files() -> list[Path]:
    found = [path for path in (ROOT / "app").rglob("*.py") if "migrations" not in path.parts]
    return [*sorted(found), ROOT / "worker.py"]


FILES = _files()


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    """Every module a file names in an import, with `from a import b` as a.b too."""
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{_name(path)}:{node.lineno} relative import"
            yield node.lineno, str(node.module)
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def _place(module: str) -> tuple[str, str]:
    """Domain and room of a module of ours ('' where it has none)."""
    parts = [*module.split("."), "", ""]
    return (parts[1], parts[2]) if parts[0] == "app" and parts[1] in DOMAINS else ("", "")


def _own_place(path: Path) -> tuple[str, str]:
    return _place(_name(path).removesuffix(".py").replace("/", "."))


def _named(path: Path) -> Iterator[tuple[str, str, str]]:
    """Imports of our domains: where, domain, room."""
    for line, module in _imports(path):
        domain, room = _place(module)
        if domain:
            yield f"{_name(path)}:{line} imports {module}", domain, room


def test_there_is_something_to_check() -> None:
    assert len(FILES) > 100
    assert {"app/db.py", "app/deliveries/actions/claim.py"} <= {_name(path) for path in FILES}


def test_a_domain_knows_only_what_stands_before_it() -> None:
    wrong = [
        said
        for path in FILES
        if (own := _own_place(path)[0])
        for said, domain, _ in _named(path)
        if DOMAINS.index(domain) > DOMAINS.index(own)
    ]
    assert wrong == []


def test_the_ground_floor_knows_no_domain() -> None:
    ground = [p for p in FILES if not _own_place(p)[0] and _name(p) not in ROOT_ROOMS]
    assert [said for path in ground for said, _, _ in _named(path)] == []


def test_rules_and_models_know_neither_reads_nor_writes_nor_doors() -> None:
    wrong = [
        said
        for path in FILES
        if _own_place(path)[1] in DECIDING
        for said, _, room in _named(path)
        if room in DOING | DOORS
    ]
    assert wrong == []


def test_reads_and_writes_know_no_door() -> None:
    wrong = [
        said
        for path in FILES
        if _own_place(path)[1] in DOING
        for said, _, room in _named(path)
        if room in DOORS
    ]
    assert wrong == []


def test_rules_are_pure() -> None:
    wrong = [
        f"{_name(path)}:{line} imports {module}"
        for path in FILES
        if _own_place(path)[1] == "rules"
        for line, module in _imports(path)
        if module.split(".")[0] in IMPURE or module in IMPURE_ROOMS
    ]
    wrong += [said for path in FILES if _own_place(path)[1] == "rules" for said in _asking(path)]
    assert wrong == []


def _asking(path: Path) -> Iterator[str]:
    """Where a file asks the time."""
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute):
            owner = node.value.id if isinstance(node.value, ast.Name) else node.value.attr
            if node.attr in TIME.get(owner, ()):
                yield f"{_name(path)}:{node.lineno} {owner}.{node.attr}"
    for line, module in _imports(path):
        owner, _, name = module.rpartition(".")
        if owner in ("time", "app.clock") and name in TIME["time"] | TIME["clock"]:
            yield f"{_name(path)}:{line} {module}"


def test_only_the_clock_asks_the_time() -> None:
    wrong = [
        said
        for path in FILES
        if _name(path) != "app/clock.py"
        for said in _asking(path)
        if " clock." not in said and " app.clock." not in said
    ]
    assert wrong == []


def test_few_files_speak_to_the_outside() -> None:
    wrong = [
        f"{_name(path)}:{line} imports {module}"
        for path in FILES
        for line, module in _imports(path)
        for library in OUTGOING
        if (module == library or module.startswith(f"{library}."))
        and library not in SPEAKERS.get(_name(path), set())
    ]
    assert wrong == []


def test_speakers_are_still_there() -> None:
    assert [name for name in SPEAKERS if not (ROOT / name).exists()] == []


def test_nothing_is_named_after_nothing() -> None:
    names = {part for path in FILES for part in path.relative_to(ROOT).with_suffix("").parts}
    assert names & NEVER == set()


def test_every_module_says_what_it_is() -> None:
    assert [_name(path) for path in FILES if not ast.get_docstring(_tree(path))] == []


def test_files_are_short() -> None:
    sizes = {_name(path): len(path.read_text().splitlines()) for path in FILES}
    assert {name: size for name, size in sizes.items() if size > LONGEST_FILE} == {}


def test_functions_are_short() -> None:
    wrong = {}
    for path in FILES:
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > LONGEST_FUNCTION:
                    wrong[f"{_name(path)}:{node.lineno} {node.name}"] = lines
    assert wrong == {}


def test_every_door_is_guarded(app: Flask) -> None:
    open_doors = sorted(
        name
        for name, view in app.view_functions.items()
        if name != "static" and not hasattr(view, "guard")
    )
    assert open_doors == []


@pytest.mark.parametrize("path", ["app/db.py", "app/deliveries/http/reach.py"])
def test_the_readers_of_imports_see_them(path: str) -> None:
    assert {"app.config", "app.facts"} & {module for _, module in _imports(ROOT / path)}
