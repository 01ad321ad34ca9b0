"""What the settings say about retries and breakers, as the rules want it."""

from __future__ import annotations

from app.config import Settings
from app.deliveries.rules.retry import Policy
from app.systems.rules.breaker import Limits


def limits(settings: Settings) -> Limits:
    """The breakers' limits as set."""
    timeout = round(settings.breaker_timeout * 1000)
    return Limits(settings.breaker_failures, settings.breaker_successes, timeout)


def policy(settings: Settings) -> Policy:
    """The retry policy as set."""
    return Policy(
        settings.retry_max_attempts,
        settings.retry_base_delay,
        settings.retry_backoff_multiplier,
        settings.retry_max_delay,
    )
