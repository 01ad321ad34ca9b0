"""What can go wrong with a request, and the class under which an answer tells it."""

from __future__ import annotations

import ssl


class InvalidUrl(Exception):
    """The URL names no place that could be asked."""


class BlockedAddress(OSError):
    """Every address behind the name is one the hub may not call."""


class NoAddress(OSError):
    """The name has no address."""


class NotConnected(OSError):
    """Nobody took the connection."""


class CutOff(Exception):
    """The connection ended before the answer did."""


class Garbled(Exception):
    """What came is not HTTP, or what should leave would not be."""


class TooLarge(Exception):
    """The answer has more bytes than are read."""


# The first that fits decides: the order is from the narrow to the wide.
CLASSES: tuple[tuple[type[Exception], str], ...] = (
    (TimeoutError, "timeout"),
    (TooLarge, "too_large"),
    (ssl.SSLError, "tls"),
    (BlockedAddress, "blocked_address"),
    (NoAddress, "dns"),
    (OSError, "connect"),
    (InvalidUrl, "invalid_url"),
    (CutOff, "cut_off"),
)


def classify(problem: Exception) -> str:
    """The error class of an exception."""
    return next((name for kind, name in CLASSES if isinstance(problem, kind)), "protocol")
