"""Who acts: the value that every action takes as `by`."""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from typing import ClassVar, Literal

from app.access.rules import abilities, scopes


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, a key, a trusted network or the hub itself; `level` is 0 for all but people."""

    kind: Literal["user", "key", "network", "system"]
    id: int | None
    name: str
    level: int = 0
    scopes: tuple[str, ...] = ()
    address: str = ""

    def can(self, ability: str) -> bool:
        """Whether the ability is theirs: people by level, keys by the scope of the same name."""
        if self.kind == "system":
            return True
        if self.kind == "key":
            return scopes.allow(self.scopes, ability.replace(".", ":"))
        return abilities.allowed(self.level, ability)


SYSTEM = Actor("system", None, "sistema")


def terminal() -> Actor:
    """Whoever types a command on the server."""
    return Actor("system", None, f"terminal ({getpass.getuser()})")


@dataclass(frozen=True, slots=True)
class Person:
    """A signed-in person as Flask-Login and the templates want them."""

    token: str
    id: int
    email: str
    name: str
    level: int
    theme: str
    density: str
    poll: str
    keys: str
    seen_at: int
    must_enrol: bool
    is_authenticated: ClassVar[bool] = True
    is_active: ClassVar[bool] = True
    is_anonymous: ClassVar[bool] = False

    def get_id(self) -> str:
        """What the cookie carries: the token of this one login."""
        return self.token
