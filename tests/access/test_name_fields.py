"""What the audit trail tells of a change has a name that people know."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import pytest

from app.access.rules.fields import FIELDS, field_words, value_words
from app.mappings.actions.exchange import ImportPlan
from app.runbook.queries.contacts import Reach
from app.runbook.queries.privacy import HOLDINGS
from app.runbook.rules.escalation import Rules
from app.runbook.rules.templates import Line
from tests.house.running import ROOT

# Where `before` begins among the arguments of those who write the trail.
WRITERS = {"record": 5, "audit.record": 5, "_audit": 3}
# Kept whole, so that their fields are nowhere written beside the trail.
WHOLE = (Reach, Rules, Line)
# Handed in by those who call the action.
HOLDS = {"opt_outs", "checklist_notes", *(holding.name for holding in HOLDINGS)}
GIVEN = {"paused", "in_flight_limit", "erased", "busy", *HOLDS}


def _told(call: ast.Call) -> list[ast.expr]:
    """The expressions for `before` and `after`; none for a call of something else."""
    first = WRITERS.get(ast.unparse(call.func), len(call.args))
    named = [each.value for each in call.keywords if each.arg in ("before", "after", None)]
    return [*call.args[first:], *(named if ast.unparse(call.func) in WRITERS else ())]


def _keys(expression: ast.expr, known: dict[str, list[ast.expr]], seen: set[str]) -> Iterator[str]:
    """Keys of the objects in it, through the names that it uses."""
    for node in ast.walk(expression):
        if isinstance(node, ast.Dict):
            keys = [key.value for key in node.keys if isinstance(key, ast.Constant)]
            yield from (key for key in keys if isinstance(key, str))
        elif isinstance(node, ast.Name) and node.id not in seen:
            seen.add(node.id)
            for value in known.get(node.id, ()):
                yield from _keys(value, known, seen)


def _assigned(function: ast.AST) -> dict[str, list[ast.expr]]:
    """What is assigned to each name, side by side where the sides are tuples."""
    known: dict[str, list[ast.expr]] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            target, value = node.targets[0], node.value
            pairs = [(target, value)]
            if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                pairs = list(zip(target.elts, value.elts, strict=True))
            for name, of in pairs:
                if isinstance(name, ast.Name):
                    known.setdefault(name.id, []).append(of)
    return known


def recorded() -> set[str]:
    """Every field that the code tells the trail of."""
    found = {field.name for kept in WHOLE for field in fields(kept)} | GIVEN
    found |= set(ImportPlan([], []).summary())
    for source in (ROOT / "app").rglob("*.py"):
        for function in ast.walk(ast.parse(source.read_text())):
            if not isinstance(function, ast.FunctionDef):
                continue
            known = _assigned(function)
            for call in ast.walk(function):
                if isinstance(call, ast.Call):
                    for told in _told(call):
                        found |= set(_keys(told, known, set()))
    # Both sides at once, handed over as `**states`.
    return found - {"before", "after"}


def test_every_field_that_is_recorded_has_a_name() -> None:
    found = recorded()
    assert {"owner", "level", "expires_at", "revived", "url", "supervisor", "letters"} <= found
    assert len(found) > 60
    assert found - set(FIELDS) == set()


def test_no_name_is_left_over() -> None:
    assert set(FIELDS) - recorded() == set()


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("", ""),
        ("level", "Nível"),
        ("erased.events", "Apagados · Eventos"),
        ("2.title", "nº 3 · Título"),
        ("timeout_seconds", "timeout_seconds"),
    ],
)
def test_a_field_in_words(path: str, words: str) -> None:
    assert field_words(path) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "nenhum"), (True, "sim"), (False, "não"), (1, "1"), (2.5, "2,5"), (40.0, "40"),
        ("", "—"), ("crm", "crm"), ([], "—"), (["crm", "site"], "crm, site"), ({}, "—"),
        ([["crm", "https://a", "created"], ["site", "https://b", "same"]],
         "crm https://a created; site https://b same"),
    ],
)  # fmt: skip
def test_a_value_in_words(value: Any, words: str) -> None:
    assert value_words(value) == words
