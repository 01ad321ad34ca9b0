"""How much one transformation may read and write: a count of work, not of time."""

from __future__ import annotations

from app.payloads import NEST, VALUE, weight

# In characters: four times the largest payload that a hub takes by default, or each field of a
# megabyte of small objects named three times. Some kilobytes of mapping could name them thousands
# of times. To spend it all takes about a tenth of a second.
MOST_WORK = 4 * 1024 * 1024


class TooMuchWork(Exception):
    """A transformation has spent what it may."""


class Work:
    """What is left for the transformation of one payload; TooMuchWork where nothing is."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = MOST_WORK

    def spend(self, amount: int) -> None:
        """Take `amount` characters off."""
        self.left -= amount
        if self.left < 0:
            raise TooMuchWork

    def visit(self, values: int, nests: int = 0) -> None:
        """So many values are looked at one by one, and so many lists and objects opened."""
        self.spend(VALUE * values + NEST * nests)

    def take(self, value: object) -> object:
        """The value, paid for: it is converted or written out, also where memory shares it."""
        if isinstance(value, str):
            self.spend(len(value))
        elif isinstance(value, int):
            self.spend(value.bit_length())
        elif value is not None:
            self.spend(weight(value, self.left))
        return value
