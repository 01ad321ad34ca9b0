"""What can go wrong, in the words of the domain; the web room turns these into answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class HubError(Exception):
    """Base: `message` is for a person, without secrets."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NotFound(HubError):
    """The thing named does not exist (or not for this caller)."""


class Invalid(HubError):
    """Input refused; `details` maps each field to its problems."""

    def __init__(
        self, message: str = "Validation failed", details: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        super().__init__(message)
        self.details = {field: list(problems) for field, problems in (details or {}).items()}


class Conflict(HubError):
    """The state of the thing does not allow this now."""


class Unauthenticated(HubError):
    """Nobody, or nobody we know, is asking."""


class Forbidden(HubError):
    """Known, but not allowed."""


class TooMany(HubError):
    """Asked too often; `retry_after` in seconds."""

    def __init__(self, retry_after: int, message: str = "Too many requests") -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TooLarge(HubError):
    """More bytes than accepted."""


class Unavailable(HubError):
    """A part the hub needs is away for the moment; ask again after `retry_after` seconds."""

    def __init__(self, message: str = "Service unavailable", retry_after: int = 2) -> None:
        super().__init__(message)
        self.retry_after = retry_after
