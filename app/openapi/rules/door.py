"""A door as the description sees it: method, path, what it takes, whom it lets in."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pydantic import BaseModel

PLACE = re.compile(r"<(?:(\w+)(?:\(([^>]*)\))?:)?(\w+)>")


@dataclass(frozen=True, slots=True)
class Door:
    """One method of one address; `scope` is None where anybody may come in."""

    method: str
    rule: str
    endpoint: str
    scope: str | None
    network: bool
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    form: bool = False
    statuses: frozenset[int] = frozenset({200})

    @property
    def path(self) -> str:
        """The address with `{name}` in place of what changes."""
        return PLACE.sub(r"{\3}", self.rule)

    @property
    def area(self) -> str:
        """Which part of the hub it belongs to: the first word of its address."""
        words = [word for word in self.path.split("/") if word not in ("", "api")]
        return words[0] if words and not words[0].startswith("{") else ""

    @property
    def places(self) -> list[tuple[str, str, str]]:
        """(name, converter, its arguments) of each place in the address."""
        return [(name, kind or "string", told) for kind, told, name in PLACE.findall(self.rule)]


def is_for_programs(rule: str, scope: str | None, network: bool, guarded: bool) -> bool:
    """Whether a door is part of the API: keys enter it, or a system or a probe calls it."""
    if guarded:
        return scope is not None or network
    return rule.startswith(("/webhooks/", "/health"))
