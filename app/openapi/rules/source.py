"""What a view takes and answers, read from its own source: the models are named once, there."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

# Functions of `app.web` that turn a request into a model, and which part of it they read.
READERS = {"body": "body", "validate": "body", "arguments": "query"}
DEEPEST = 3


@dataclass
class Reading:
    """Names of models by the part of the request they describe; statuses of success."""

    models: dict[str, str] = field(default_factory=dict)
    statuses: set[int] = field(default_factory=set)
    form: bool = False


def read_view(functions: dict[str, ast.FunctionDef], name: str, depth: int = 0) -> Reading:
    """All that a function and those of its module that it calls say about a request."""
    found = Reading()
    for node in ast.walk(functions[name]):
        if isinstance(node, ast.Attribute) and node.attr == "form":
            found.form = True
        if isinstance(node, ast.Assign) and _is_named(node.targets[0], "status"):
            found.statuses |= set(_successes(node.value))
        if isinstance(node, ast.Call):
            _note(found, node)
            called = _called(node)
            if called in functions and called != name and depth < DEEPEST:
                _merge(found, read_view(functions, called, depth + 1))
    return found


def functions_of(source: str) -> dict[str, ast.FunctionDef]:
    """The functions of a module by name."""
    return {n.name: n for n in ast.parse(source).body if isinstance(n, ast.FunctionDef)}


def _note(found: Reading, call: ast.Call) -> None:
    part = READERS.get(_called(call))
    if part and call.args and isinstance(call.args[0], ast.Name):
        found.models.setdefault(part, call.args[0].id)
    for keyword in call.keywords:
        if keyword.arg == "status":
            found.statuses |= set(_successes(keyword.value))


def _merge(found: Reading, other: Reading) -> None:
    for part, model in other.models.items():
        found.models.setdefault(part, model)
    found.statuses |= other.statuses
    found.form = found.form or other.form


def _is_named(target: ast.expr, name: str) -> bool:
    return isinstance(target, ast.Name) and target.id == name


def _called(call: ast.Call) -> str:
    if isinstance(call.func, ast.Name):
        return call.func.id
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def _successes(value: ast.expr) -> Iterator[int]:
    for node in ast.walk(value):
        number = node.value if isinstance(node, ast.Constant) else None
        if isinstance(number, int) and 200 <= number < 300:
            yield number
