"""Signatures of webhooks, both ways: the hub's own HMAC header and Standard Webhooks."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets as randomness
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Protocol

HMAC_HEADERS = ("X-Webhook-Signature", "X-Signature", "X-Hub-Signature-256")
STANDARD_HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")
PREFIX = "whsec_"
TOLERANCE_SECONDS = 300
# What `webhook-id` may hold, so that a replay can be looked up by it.
ID_LENGTH = 200
SIGNATURES_READ = 8


class Headers(Protocol):
    """Request headers, as far as they are asked here."""

    def get(self, key: str, /) -> str | None:
        """The value of a header, or None."""


def new_secret() -> str:
    """A fresh secret in the form Standard Webhooks libraries take: `whsec_` + 32 bytes."""
    return PREFIX + base64.b64encode(randomness.token_bytes(32)).decode()


@lru_cache(maxsize=512)
def standard_key(secret: str) -> bytes:
    """Key bytes of a secret: the base64 after `whsec_`, or the secret's own bytes."""
    if secret.startswith(PREFIX):
        try:
            key = base64.b64decode(secret.removeprefix(PREFIX) + "==")
        except (binascii.Error, ValueError):
            key = b""
        if key:
            return key
    return secret.encode()


def hmac_hex(body: bytes, secret: str) -> str:
    """Hex HMAC-SHA256 of the exact bytes, keyed with the whole secret string."""
    return hmac.digest(secret.encode(), body, "sha256").hex()


def standard_signature(body: bytes, secret: str, message_id: str, timestamp: int) -> str:
    """One `v1,<base64>` entry over id, timestamp (seconds) and the exact bytes."""
    signed = b"%b.%d.%b" % (message_id.encode("utf-8", "replace"), timestamp, body)
    digest = hmac.digest(standard_key(secret), signed, "sha256")
    return "v1," + binascii.b2a_base64(digest, newline=False).decode("ascii")


def signed_headers(
    body: bytes, secrets: Sequence[str], message_id: str, timestamp: int
) -> dict[str, str]:
    """Signature headers of a delivery; `secrets` newest first, `timestamp` in seconds.

    While a secret is being rotated the Standard Webhooks header carries a signature for each; the
    contract's own header holds one value only, made with the newest.
    """
    return {
        "X-Webhook-Signature": hmac_hex(body, secrets[0]),
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(
            [standard_signature(body, secret, message_id, timestamp) for secret in secrets]
        ),
    }


def is_signed(headers: Headers) -> bool:
    """Whether any signature was presented at all (missing and wrong are told apart)."""
    names = (*HMAC_HEADERS, "webhook-signature")
    return any((headers.get(name) or "").strip() for name in names)


def verify_hmac(body: bytes, headers: Headers, secrets: Iterable[str]) -> bool:
    """Whether one of the HMAC headers fits one of the valid secrets; never raises."""
    valid = [hmac_hex(body, secret).encode() for secret in secrets if secret]
    given = [_hex_of(value) for name in HMAC_HEADERS if (value := headers.get(name))]
    return _any_equal(given, valid)


def verify_standard(body: bytes, headers: Headers, secrets: Iterable[str], now: int) -> str | None:
    """The `webhook-id` of a valid Standard Webhooks request (to refuse replays), or None.

    `now` in ms. The timestamp may be 5 minutes off either way. Never raises.
    """
    message_id, stamp, signatures = (headers.get(name) or "" for name in STANDARD_HEADERS)
    if not _sane_id(message_id) or not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        return None
    timestamp = int(stamp)
    # The bytes signed are the ones received: a padded number would be signed differently.
    if str(timestamp) != stamp or abs(now // 1000 - timestamp) > TOLERANCE_SECONDS:
        return None
    valid = [
        standard_signature(body, secret, message_id, timestamp).encode()
        for secret in secrets
        if secret
    ]
    given = [entry.encode("utf-8", "replace") for entry in signatures.split(" ")[:SIGNATURES_READ]]
    return message_id if _any_equal(given, valid) else None


def _sane_id(message_id: str) -> bool:
    """Whether an id can be kept: visible ASCII of bounded length."""
    return 0 < len(message_id) <= ID_LENGTH and message_id.isascii() and message_id.isprintable()


def _hex_of(value: str) -> bytes:
    """The hex part of a header value as bytes, whatever it holds."""
    return value.strip().removeprefix("sha256=").lower().encode("utf-8", "replace")


def _any_equal(given: Iterable[bytes], valid: Sequence[bytes]) -> bool:
    """Compare all with all, without stopping at the first match."""
    found = False
    for one in given:
        for other in valid:
            found |= hmac.compare_digest(one, other)
    return found
