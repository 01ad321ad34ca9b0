"""SECURITY.md is in step: its table, the tests that it names, the findings that it explains."""

from __future__ import annotations

import ast

import pytest

from security import explained, threats
from security.explained import EXPLAINED, unexplained
from security.threats import THREATS, Threat
from tests.house.running import ROOT

TEXT = (ROOT / "SECURITY.md").read_text()


def test_the_table_is_the_one_of_the_code() -> None:
    assert threats.put(TEXT) == TEXT, "run: python -m security.write"


def test_the_explanations_are_those_of_the_code() -> None:
    assert explained.put(TEXT) == TEXT, "run: python -m security.write"


@pytest.mark.parametrize("threat", THREATS, ids=lambda threat: threat.name)
def test_every_threat_is_tried(threat: Threat) -> None:
    for name in threat.tests:
        tree = ast.parse((ROOT / name).read_text())
        tests = [n for n in tree.body if isinstance(n, ast.FunctionDef) and "test_" in n.name]
        assert tests, name


def test_every_attack_belongs_to_a_threat() -> None:
    named = {test for threat in THREATS for test in threat.tests}
    found = {f"tests/security/{path.name}" for path in (ROOT / "tests/security").glob("test_*.py")}
    assert found - named == {"tests/security/test_threats.py"}


def test_only_what_is_explained_is_let_pass() -> None:
    assert unexplained("wapiti", ["something new"]) == ["something new"]
    for scanner, pattern, why in EXPLAINED:
        assert len(why) > 40, (scanner, pattern)
