"""The files round the product: lock files, Makefile, CI, Procfile."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib

import pytest

from tests.house.running import ROOT

LOCKS = [
    "requirements.lock",
    "requirements-test.lock",
    "requirements-bench.lock",
    "requirements-security.lock",
    "requirements-wapiti.lock",
]
GROUPS = {"test": LOCKS[1], "bench": LOCKS[2], "security": LOCKS[3], "wapiti": LOCKS[4]}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def _name(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    return re.sub(r"[-_.]+", "-", found[0]).lower() if found else ""


def _pins(lock: str) -> dict[str, str]:
    """Each pin of a lock file with everything that belongs to it."""
    text = (ROOT / lock).read_text().replace("\\\n", " ")
    return {_name(line): line for line in text.splitlines()}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_is_a_pin_with_hashes(lock: str) -> None:
    for line in _pins(lock).values():
        assert re.match(r"[a-z0-9._-]+(\[[a-z,]+\])?==\S+ ", line), line
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", line), line


@pytest.mark.parametrize("lock", LOCKS)
def test_no_lock_file_holds_an_address(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert not re.search(r"://|--(index|extra-index|find-links|trusted)|@ ", text)


def test_each_dependency_is_locked() -> None:
    pins = _pins("requirements.lock")
    assert {_name(each) for each in PROJECT["project"]["dependencies"]} <= pins.keys()
    for group, lock in GROUPS.items():
        assert {_name(each) for each in PROJECT["dependency-groups"][group]} <= _pins(lock).keys()


@pytest.mark.parametrize("lock", LOCKS[1:3])
def test_the_other_locks_hold_the_same_versions(lock: str) -> None:
    assert _pins("requirements.lock").items() <= _pins(lock).items()


@pytest.mark.parametrize("script", [".ci/run", *map(str, (ROOT / "scripts").glob("*.sh"))])
def test_scripts_parse(script: str) -> None:
    assert subprocess.run(["bash", "-n", script], cwd=ROOT).returncode == 0


def test_ci_runs_make_test_and_nothing_else() -> None:
    lines = (ROOT / ".ci/run").read_text().splitlines()
    assert os.access(ROOT / ".ci/run", os.X_OK)
    assert lines[1] == "set -euo pipefail"
    assert lines[-1] == "make test"


@pytest.mark.parametrize("target", ["run", "test", "demo", "lint", "types", "lock"])
def test_make_knows(target: str) -> None:
    found = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
