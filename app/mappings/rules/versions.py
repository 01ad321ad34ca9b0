"""Versions x.y.z in their real order: 1.0.10 comes after 1.0.9."""

import re
from dataclasses import dataclass, replace
from typing import Self

_PART = r"(0|[1-9][0-9]{0,8})"
_VERSION = re.compile(rf"{_PART}\.{_PART}\.{_PART}")


@dataclass(frozen=True, order=True, slots=True)
class Version:
    """Three whole numbers; compared as numbers, from the left."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"

    def next_patch(self) -> Self:
        """The version that a save makes out of this one."""
        return replace(self, patch=self.patch + 1)


FIRST_VERSION = Version(1, 0, 0)


def parse_version(text: str) -> Version | None:
    """The version written as x.y.z, or None; leading zeros are refused, so text is unique."""
    found = _VERSION.fullmatch(text)
    return Version(*(int(part) for part in found.groups())) if found else None
