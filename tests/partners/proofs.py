"""Checks that a request really comes from the hub."""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from functools import lru_cache

from standardwebhooks.webhooks import Webhook, WebhookVerificationError


def hex_signature(secret: str, body: bytes) -> str:
    """The X-Webhook-Signature of a body: hex HMAC-SHA256, the whole secret as UTF-8."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def is_signed(secrets: Iterable[str], headers: Mapping[str, str], body: bytes) -> bool:
    """Whether both signatures of a delivery are right for one of the secrets."""
    return any(
        _hex_is_right(secret, headers, body) and _trio_is_right(secret, headers, body)
        for secret in secrets
    )


def has_key(key: str, headers: Mapping[str, str], header: str = "X-API-Key") -> bool:
    """Whether the key is the one agreed on; with none agreed everything passes."""
    return not key or _same(headers.get(header, ""), key)


def _hex_is_right(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    shown = headers.get("X-Webhook-Signature", "").removeprefix("sha256=")
    return _same(shown, hex_signature(secret, body))


def _trio_is_right(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    try:
        _verifier(secret).verify(body, dict(headers), json_parse=False)
    except (WebhookVerificationError, ValueError):
        return False
    return True


@lru_cache(maxsize=64)
def _verifier(secret: str) -> Webhook:
    """A `whsec_` secret is base64 as the standard says; any other counts as it is."""
    return Webhook(secret if secret.startswith("whsec_") else secret.encode())


def _same(one: str, other: str) -> bool:
    # Headers may carry bytes that are no text: compared as bytes they cannot raise.
    return hmac.compare_digest(
        one.encode("utf-8", "surrogateescape"), other.encode("utf-8", "surrogateescape")
    )
