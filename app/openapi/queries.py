"""The doors of the running application, read from its URL map and the source of its views."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from flask import Flask
from pydantic import BaseModel
from werkzeug.routing import Rule

from app.events.rules.incoming import Incoming
from app.events.rules.webhooks import DOORS
from app.openapi.rules.door import Door, is_for_programs
from app.openapi.rules.shapes import Batch, Whatever
from app.openapi.rules.source import Reading, functions_of, read_view

# Bodies that a view reads by itself: it keeps their bytes.
BY_HAND: dict[str, type[BaseModel]] = {
    "events_api.create": Incoming,
    "events_api.create_many": Batch,
    "webhooks.of_system": Whatever,
    "webhooks.whatsapp": Whatever,
    "webhooks.whatsapp_status": Whatever,
    **{f"webhooks.{door.path.replace('/', '_').replace('-', '_')}": door.fields for door in DOORS},
}


def doors(app: Flask) -> list[Door]:
    """Every door for programs, by address and method."""
    found = [door for rule in app.url_map.iter_rules() for door in _of_rule(app, rule)]
    return sorted(found, key=lambda door: (door.path, door.method))


def _of_rule(app: Flask, rule: Rule) -> Iterator[Door]:
    view = app.view_functions[rule.endpoint]
    guard = getattr(view, "guard", None)
    scope, network = (guard.scope, guard.network) if guard else (None, False)
    if rule.endpoint == "static":
        return
    if not is_for_programs(rule.rule, scope, network, guard is not None):
        return
    told = _reading(view)
    taken = {part: _model(view, name) for part, name in told.models.items()}
    for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
        writes = method != "GET"
        yield Door(
            method=method,
            rule=rule.rule,
            endpoint=rule.endpoint,
            scope=scope,
            network=network,
            body=BY_HAND.get(rule.endpoint, taken.get("body")) if writes else None,
            query=taken.get("query"),
            form=writes and told.form and "body" not in taken,
            statuses=frozenset(told.statuses) or frozenset({200}),
        )


def _reading(view: Callable[..., Any]) -> Reading:
    bare = inspect.unwrap(view)
    functions = _functions(bare.__module__)
    # A view made by a function (the webhooks' table) is described by hand.
    known = bare.__name__ in functions
    return read_view(functions, bare.__name__) if known else Reading()


@cache
def _functions(module: str) -> dict[str, Any]:
    return functions_of(inspect.getsource(sys.modules[module]))


def _model(view: Callable[..., Any], name: str) -> type[BaseModel] | None:
    found = inspect.unwrap(view).__globals__.get(name)
    return found if inspect.isclass(found) and issubclass(found, BaseModel) else None
