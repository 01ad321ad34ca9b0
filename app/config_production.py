"""What production must be told before it starts, and what it must not be told."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from app.config_fields import system_variables

if TYPE_CHECKING:
    from app.config import Settings

# Fewer different signs than this in a key of 32 is no key that chance has made.
DIFFERENT_SIGNS = 10
SHORTEST_SECRET = 8
PLACEHOLDERS = ("change", "secret", "example", "default", "password", "senha")


def gaps(settings: Settings) -> list[str]:
    """Each variable that keeps production from starting, and why; never its value."""
    found = []
    if len(settings.secret_key) < 32:
        found.append("HUB_SECRET_KEY: required in production, at least 32 characters")
    elif _is_made_up(settings.secret_key):
        found.append("HUB_SECRET_KEY: must be random, e.g. from `openssl rand -hex 32`")
    if not settings.public_url.startswith("https://"):
        found.append("HUB_PUBLIC_URL: required in production, an https:// address")
    if "trusted_proxies" not in settings.model_fields_set:
        found.append("HUB_TRUSTED_PROXIES: required in production, the number of proxies before it")
    if _is_open(settings.redis_url):
        found.append("REDIS_URL: a Redis reached over TCP needs a password in production")
    for name, networks in (
        ("HUB_TRUSTED_NETWORKS", settings.trusted_networks),
        ("HUB_ALLOWED_NETWORKS", settings.allowed_networks),
    ):
        if any(network.prefixlen == 0 for network in networks):
            found.append(f"{name}: the whole internet is not a network to trust")
    found += _short_secrets(settings)
    return found


def _short_secrets(settings: Settings) -> list[str]:
    """Webhook secrets that somebody could guess."""
    return [
        f"{system_variables(name)[2]}: at least {SHORTEST_SECRET} characters in production"
        for name, system in settings.systems.items()
        if 0 < len(system.webhook_secret) < SHORTEST_SECRET
    ]


def _is_made_up(key: str) -> bool:
    """Whether a key was typed, or copied from a guide."""
    words = any(word in key.lower() for word in PLACEHOLDERS)
    return words or len(set(key)) < DIFFERENT_SIGNS


def _is_open(url: str) -> bool:
    """Whether whoever reaches this Redis may use it."""
    parts = urlsplit(url)
    return parts.scheme in ("redis", "rediss") and not parts.password
